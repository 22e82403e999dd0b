use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, ExprTrait as _, FromQueryResult, JoinType, QueryFilter, QuerySelect, QueryTrait as _,
    sea_query::{Expr, IntoCondition as _},
};
use serde_json::json;

use super::steps::{Entry, clocks, note};
use crate::{
    audit::AuditEntry,
    calendar::Calendar,
    complaints::{
        Act, Body, ComplaintRefusal, Context, Event, PARKING_REVIEW, SatisfactionLevel, State, apply,
        entity::{complaints, ratings, reporters},
        queries::subject_of,
    },
    deadlines::{self, DeadlineStatus, NewDeadline},
    ids::{ComplaintId, CountyId, EntryId, OrganizationId, ResidentId, StaffId},
    outbox::{Notice, Recipient},
    people::{
        Actor, CodeDigest,
        authorization::{Action, Subject, may},
    },
    refusal::{Fault, Refusal, RefusalKind},
    storage::{Command, Done, Outcome, Store, UnitOfWork},
};

/// A reporter's verdict on the answer of this round.
#[derive(Clone, Debug)]
pub struct NewRating {
    pub level: SatisfactionLevel,
    pub comment: Option<String>,
}

/// Who holds the receipt of this code.
///
/// # Errors
/// When nobody does.
pub async fn receipt_holder(store: &Store, code: CodeDigest) -> Result<Actor, Fault> {
    let reporter = reporters::Entity::find()
        .filter(reporters::Column::ReceiptDigest.eq(code.into_bytes()))
        .one(store.reader())
        .await?
        .ok_or_else(|| {
            Refusal::new(RefusalKind::NotFound, "receipt_unknown", "没有这个回执码，请对照回执单再输入一次。")
        })?;
    Ok(Actor::Receipt { county: reporter.county_id, complaint: reporter.complaint_id })
}

/// A reporter rates the answer, once a round. The two lowest levels reopen the complaint at once: a new round with its
/// own clock, in the hands of the township office, which calls back before it sends it out again (1.6, 1.10).
///
/// # Errors
/// When the actor did not bring it up, works on it, has rated this round, or there is nothing to rate.
pub async fn rate(
    store: &Store,
    calendar: &Calendar,
    command: &Command,
    county: CountyId,
    id: ComplaintId,
    receipt: Option<CodeDigest>,
    new: NewRating,
) -> Result<Outcome<()>, Fault> {
    let comment = match new.comment.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
        Some(text) => Some(Body::parse("/comment", text)?.into_string()),
        None => None,
    };
    let receipt_digest = receipt.map(CodeDigest::into_bytes);
    for _ in 1..ATTEMPTS {
        let attempt = (comment.clone(), receipt_digest.clone(), calendar.clone());
        match rate_what_is_seen(store, attempt, command, county, id, new.level).await {
            Err(Fault::Overtaken) => {}
            done => return done,
        }
    }
    rate_what_is_seen(store, (comment, receipt_digest, calendar.clone()), command, county, id, new.level).await
}

/// How often a rating is tried when others rate or work on the same complaint at the same moment.
const ATTEMPTS: usize = 5;

/// The product's busiest write: one reading and one writing round trip, no lock in between.
async fn rate_what_is_seen(
    store: &Store,
    (comment, receipt_digest, calendar): (Option<String>, Option<Vec<u8>>, Calendar),
    command: &Command,
    county: CountyId,
    id: ComplaintId,
    level: SatisfactionLevel,
) -> Result<Outcome<()>, Fault> {
    let actor = command.actor.clone();
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                let (seen, reporter) = look_as_reporter(unit, &actor, id, receipt_digest).await?;
                // Rating does not depend on the context: nothing more needs to be read for it.
                let (state, events) =
                    apply(seen.state, Act::Rate(level), &Context::default()).map_err(Fault::refused)?;
                unit.later(&ratings::Entity::insert(ratings::ActiveModel {
                    id: Set(EntryId::new(unit.randomness(), unit.now())),
                    county_id: Set(seen.county_id),
                    complaint_id: Set(id),
                    reporter_id: Set(reporter),
                    round: Set(seen.round),
                    level: Set(level),
                    comment: Set(comment),
                    at: Set(unit.now()),
                }));
                let reopened = events.contains(&Event::RoundOpened);
                change_if_unchanged(unit, id, &seen, (state, seen.round + i32::from(reopened)));
                if seen.state == State::ParkedUnsatisfied {
                    deadlines::end(unit, id.into(), Some(PARKING_REVIEW), DeadlineStatus::Met).await?;
                }
                if reopened {
                    let complaint = complaints::Entity::find_by_id(id).one(unit.connection()).await?;
                    open_bad_rating_case(unit, &calendar, &complaint.ok_or_else(Refusal::not_found)?).await?;
                }
                let facts = json!({
                    "number": seen.number, "title": seen.title, "level": level, "rated_round": seen.round,
                });
                let kind = if level.is_bad() { "complaint_rated_bad" } else { "complaint_rated" };
                let notice = seen.handler_id.map(|handler| {
                    Notice::new(Recipient::Staff(handler), kind, id)
                        .round(seen.round)
                        .township(seen.township_id)
                        // Tells two ratings of one round apart, and leads to nobody.
                        .step(EntryId::new(unit.randomness(), unit.now()).to_string())
                        .facts(facts)
                });
                Ok(Done::new((), AuditEntry::new("complaint_rated", id)).telling(notice))
            })
        })
        .await
}

/// What a rating needs to know of the complaint, and of the one who rates.
#[derive(FromQueryResult)]
struct Seen {
    county_id: CountyId,
    township_id: OrganizationId,
    number: String,
    title: String,
    state: State,
    round: i32,
    handler_id: Option<StaffId>,
    reporter_id: Option<EntryId>,
    reporter_resident_id: Option<ResidentId>,
    rated: bool,
}

/// Sees complaint, reporter and former rating in one reading. It locks nothing: the writing notices when it is overtaken.
async fn look_as_reporter(
    unit: &UnitOfWork,
    actor: &Actor,
    id: ComplaintId,
    receipt_digest: Option<Vec<u8>>,
) -> Result<(Seen, EntryId), Fault> {
    use complaints::Column as C;
    let who = match (actor, receipt_digest) {
        (Actor::Resident(resident), _) => reporter_column(reporters::Column::ResidentId).eq(resident.id),
        (Actor::Receipt { .. }, Some(digest)) => reporter_column(reporters::Column::ReceiptDigest).eq(digest),
        _ => return Err(refuse_stranger(unit, actor, id).await),
    };
    let reporter = complaints::Entity::belongs_to(reporters::Entity)
        .from(C::Id)
        .to(reporters::Column::ComplaintId)
        .on_condition(move |_, _| who.clone().into_condition())
        .into();
    let rated = ratings::Entity::find()
        .select_only()
        .expr(Expr::val(1))
        .filter(Expr::col((ratings::Entity, ratings::Column::ComplaintId)).equals((complaints::Entity, C::Id)))
        .filter(Expr::col((ratings::Entity, ratings::Column::Round)).equals((complaints::Entity, C::Round)))
        .filter(
            Expr::col((ratings::Entity, ratings::Column::ReporterId))
                .equals((reporters::Entity, reporters::Column::Id)),
        )
        .into_query();
    let seen = complaints::Entity::find_by_id(id)
        .select_only()
        .columns([C::CountyId, C::TownshipId, C::Number, C::Title, C::State, C::Round, C::HandlerId])
        .expr_as(reporter_column(reporters::Column::Id), "reporter_id")
        .expr_as(reporter_column(reporters::Column::ResidentId), "reporter_resident_id")
        .expr_as(Expr::exists(rated), "rated")
        .join(JoinType::LeftJoin, reporter)
        .into_model::<Seen>()
        .one(&unit.glance())
        .await?
        .ok_or_else(Refusal::not_found)?;
    let Some(reporter) = seen.reporter_id else { return Err(refuse_stranger(unit, actor, id).await) };
    let subject = Subject {
        county: Some(seen.county_id),
        complaint: Some(id),
        reporters: seen.reporter_resident_id.into_iter().collect(),
        ..Subject::default()
    };
    may(actor, Action::RateComplaint, &subject)?;
    let handler_is_reporter = match actor {
        Actor::Resident(resident) => resident.also_staff.is_some() && resident.also_staff == seen.handler_id,
        _ => false,
    };
    if handler_is_reporter {
        return Err(Fault::refused(ComplaintRefusal::OwnWork));
    }
    if seen.rated {
        return Err(Fault::refused(ComplaintRefusal::AlreadyRated));
    }
    Ok((seen, reporter))
}

/// Moves the complaint on, provided that it still stands where it was seen.
fn change_if_unchanged(unit: &UnitOfWork, id: ComplaintId, seen: &Seen, (state, round): (State, i32)) {
    use complaints::Column as C;
    let update = complaints::Entity::update_many()
        .col_expr(C::State, Expr::value(state))
        .col_expr(C::Round, Expr::value(round))
        .col_expr(C::ChangedAt, Expr::value(unit.now()))
        .filter(C::Id.eq(id))
        .filter(C::State.eq(seen.state))
        .filter(C::Round.eq(seen.round));
    unit.later_if_it_holds(&update);
}

fn reporter_column(column: reporters::Column) -> Expr {
    Expr::col((reporters::Entity, column))
}

/// What the permission table says to somebody who did not bring it up. Whom it concerns does not learn of it.
async fn refuse_stranger(unit: &UnitOfWork, actor: &Actor, id: ComplaintId) -> Fault {
    let subject = async {
        let complaint = complaints::Entity::find_by_id(id).one(&unit.glance()).await?.ok_or_else(Refusal::not_found)?;
        subject_of(&unit.glance(), &complaint).await
    };
    match subject.await {
        Ok(subject) => may(actor, Action::RateComplaint, &subject).err().unwrap_or_else(Refusal::not_found).into(),
        Err(fault) => fault,
    }
}

pub(super) async fn open_bad_rating_case(
    unit: &UnitOfWork,
    calendar: &Calendar,
    complaint: &complaints::Model,
) -> Result<(), Fault> {
    let limit = clocks(unit, complaint).await?.rules().bad_rating;
    let worked_out = calendar.due_date(unit.today(), limit);
    deadlines::open(
        unit,
        NewDeadline {
            county: complaint.county_id,
            township: Some(complaint.township_id),
            subject: complaint.id.into(),
            title: complaint.title.clone(),
            kind: "bad_rating",
            round: complaint.round,
            start_on: unit.today(),
            limit: json!(limit),
            due_on: worked_out.due_on,
            explanation: worked_out.explanation,
            // Not the person who was rated: the office takes the case.
            responsible_staff: None,
            responsible_unit: Some(complaint.township_id),
        },
    )
    .await?;
    let by_rule = Actor::System { county: complaint.county_id };
    note(unit, &by_rule, complaint, Entry::shown("reopened", "评价为不满意，重新办理"));
    Ok(())
}

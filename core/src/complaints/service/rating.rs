use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::OnConflict};
use serde_json::json;

use super::steps::{Entry, advance, clocks, note, tell_handler};
use crate::{
    audit::AuditEntry,
    calendar::Calendar,
    complaints::{
        Act, Body, ComplaintRefusal, Context, Event, ReceiptCode, SatisfactionLevel,
        entity::{complaints, ratings, reporters},
        queries::subject_of,
    },
    deadlines::{self, NewDeadline},
    ids::{ComplaintId, CountyId, EntryId},
    people::{
        Actor,
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
pub async fn receipt_holder(store: &Store, code: &ReceiptCode) -> Result<Actor, Fault> {
    let reporter = reporters::Entity::find()
        .filter(reporters::Column::ReceiptDigest.eq(code.digest()))
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
    receipt: Option<&ReceiptCode>,
    new: NewRating,
) -> Result<Outcome<()>, Fault> {
    let (actor, calendar) = (command.actor.clone(), calendar.clone());
    let receipt_digest = receipt.map(ReceiptCode::digest);
    let comment = match new.comment.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
        Some(text) => Some(Body::parse("/comment", text)?.into_string()),
        None => None,
    };
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                let (mut complaint, reporter) = hold_as_reporter(unit, &actor, id, receipt_digest).await?;
                let handler_is_reporter = match &actor {
                    Actor::Resident(resident) => resident.also_staff.is_some() && resident.also_staff == complaint.handler_id,
                    _ => false,
                };
                if handler_is_reporter {
                    return Err(Fault::refused(ComplaintRefusal::OwnWork));
                }
                let inserted = ratings::Entity::insert(ratings::ActiveModel {
                    id: Set(EntryId::new(unit.randomness(), unit.now())),
                    county_id: Set(complaint.county_id),
                    complaint_id: Set(id),
                    reporter_id: Set(reporter),
                    round: Set(complaint.round),
                    level: Set(new.level),
                    comment: Set(comment),
                    at: Set(unit.now()),
                })
                .on_conflict(
                    OnConflict::columns([ratings::Column::ComplaintId, ratings::Column::Round, ratings::Column::ReporterId])
                        .do_nothing()
                        .to_owned(),
                )
                .exec_without_returning(unit.connection())
                .await?;
                if inserted == 0 {
                    return Err(Fault::refused(ComplaintRefusal::AlreadyRated));
                }
                let round_rated = complaint.round;
                // Rating does not depend on the context: nothing needs to be read for it.
                let events = advance(unit, &mut complaint, Act::Rate(new.level), &Context::default()).await?;
                if events.contains(&Event::RoundOpened) {
                    open_bad_rating_case(unit, &calendar, &complaint).await?;
                }
                let facts = json!({
                    "number": complaint.number, "title": complaint.title, "level": new.level, "rated_round": round_rated,
                });
                let kind = if new.level.is_bad() { "complaint_rated_bad" } else { "complaint_rated" };
                let notices = tell_handler(&complaint, kind, facts)
                    .into_iter()
                    .map(|notice| notice.round(round_rated).step(reporter.to_string()));
                Ok(Done::new((), AuditEntry::new("complaint_rated", id)).telling(notices))
            })
        })
        .await
}

/// Locks the complaint and finds the reporter, in two statements: this is the product's busiest write.
async fn hold_as_reporter(
    unit: &UnitOfWork,
    actor: &Actor,
    id: ComplaintId,
    receipt_digest: Option<Vec<u8>>,
) -> Result<(complaints::Model, EntryId), Fault> {
    let complaint = complaints::Entity::find_by_id(id)
        .lock_exclusive()
        .one(unit.connection())
        .await?
        .ok_or_else(Refusal::not_found)?;
    let mut find = reporters::Entity::find().filter(reporters::Column::ComplaintId.eq(id));
    find = match (actor, receipt_digest) {
        (Actor::Resident(resident), _) => find.filter(reporters::Column::ResidentId.eq(resident.id)),
        (Actor::Receipt { .. }, Some(digest)) => find.filter(reporters::Column::ReceiptDigest.eq(digest)),
        _ => return Err(refuse_stranger(unit, actor, &complaint).await),
    };
    let Some(reporter) = find.one(unit.connection()).await? else {
        return Err(refuse_stranger(unit, actor, &complaint).await);
    };
    let subject = Subject {
        county: Some(complaint.county_id),
        complaint: Some(id),
        reporters: reporter.resident_id.into_iter().collect(),
        ..Subject::default()
    };
    may(actor, Action::RateComplaint, &subject)?;
    Ok((complaint, reporter.id))
}

/// What the permission table says to somebody who did not bring it up. Whom it concerns does not learn of it.
async fn refuse_stranger(unit: &UnitOfWork, actor: &Actor, complaint: &complaints::Model) -> Fault {
    match subject_of(unit.connection(), complaint).await {
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
    note(
        unit,
        &Actor::System { county: complaint.county_id },
        complaint,
        Entry::shown("reopened", "评价为不满意，重新办理"),
    )
    .await
}

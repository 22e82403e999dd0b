use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, FromQueryResult, QueryFilter, sea_query::Expr};
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
        self, Actor, CodeDigest, Resident, SignInRefusal,
        authorization::{Action, Subject, may},
    },
    refusal::{Fault, Refusal, RefusalKind},
    storage::{Command, Done, IdempotencyKey, Look, Outcome, Store, UnitOfWork},
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

/// Who rates.
#[derive(Clone, Copy, Debug)]
pub enum Rater<'a> {
    /// A resident by an access token. Nobody looked the resident up yet: that is done with the complaint, in one reading.
    Resident(ResidentId),
    /// Whoever holds the receipt.
    Receipt(&'a Actor, &'a CodeDigest),
    /// Anybody else; learns from the permission table that it is not theirs to rate.
    Other(&'a Actor),
}

impl<'a> Rater<'a> {
    /// Whoever is known already and has no receipt.
    #[must_use]
    pub fn of(actor: &'a Actor) -> Self {
        match actor {
            Actor::Resident(resident) => Self::Resident(resident.id),
            other => Self::Other(other),
        }
    }
}

/// A reporter rates the answer, once a round. The two lowest levels reopen the complaint at once: a new round with its
/// own clock, in the hands of the township office, which calls back before it sends it out again (1.6, 1.10).
///
/// # Errors
/// When the rater is no longer on a roster, did not bring it up, works on it, has rated this round, or there is nothing to
/// rate.
pub async fn rate(
    store: &Store,
    calendar: &Calendar,
    rater: Rater<'_>,
    idempotency: Option<IdempotencyKey>,
    id: ComplaintId,
    new: NewRating,
) -> Result<Outcome<()>, Fault> {
    let comment = match new.comment.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
        Some(text) => Some(Body::parse("/comment", text)?.into_string()),
        None => None,
    };
    let rating = NewRating { level: new.level, comment };
    for _ in 1..ATTEMPTS {
        match rate_what_is_seen(store, calendar, rater, idempotency.as_ref(), id, &rating).await {
            Err(Fault::Overtaken) => {}
            done => return done,
        }
    }
    rate_what_is_seen(store, calendar, rater, idempotency.as_ref(), id, &rating).await
}

/// How often a rating is tried when others rate or work on the same complaint at the same moment.
const ATTEMPTS: usize = 5;

/// The product's busiest write: one reading and one writing round trip, no lock in between.
async fn rate_what_is_seen(
    store: &Store,
    calendar: &Calendar,
    rater: Rater<'_>,
    idempotency: Option<&IdempotencyKey>,
    id: ComplaintId,
    rating: &NewRating,
) -> Result<Outcome<()>, Fault> {
    let seen = see(store, rater, id).await?;
    // Whoever left the roster gets no answer, not even one that was given before.
    let actor = who_rates(store, rater, seen.as_ref()).await?;
    let decided = async {
        let seen = seen.ok_or_else(Refusal::not_found)?;
        let reporter = reporter_who_may_rate(store, &actor, id, &seen).await?;
        // Rating does not depend on the context: nothing more needs to be read for it.
        let (state, events) =
            apply(seen.state, Act::Rate(rating.level), &Context::default()).map_err(Fault::refused)?;
        Ok((seen, reporter, state, events.contains(&Event::RoundOpened)))
    };
    let (seen, reporter, state, reopened) = match decided.await {
        Ok(decided) => decided,
        Err(fault) => return store.unless_done_before(idempotency, fault).await,
    };
    let county = seen.county_id;
    let command = Command::once(&actor, idempotency.cloned());
    if !reopened && seen.state != State::ParkedUnsatisfied {
        return store
            .command_without_reading(county, &command, |unit| {
                Ok(write_rating(unit, id, &seen, reporter, rating, (state, seen.round)))
            })
            .await;
    }
    let (rating, calendar) = (rating.clone(), calendar.clone());
    store
        .command(county, &command, move |unit| {
            Box::pin(async move {
                let round = seen.round + i32::from(reopened);
                let done = write_rating(unit, id, &seen, reporter, &rating, (state, round));
                if seen.state == State::ParkedUnsatisfied {
                    deadlines::end(unit, id.into(), Some(PARKING_REVIEW), DeadlineStatus::Met).await?;
                }
                if reopened {
                    let complaint = complaints::Entity::find_by_id(id).one(unit.connection()).await?;
                    open_bad_rating_case(unit, &calendar, &complaint.ok_or_else(Refusal::not_found)?).await?;
                }
                Ok(done)
            })
        })
        .await
}

/// The rating, the complaint's next state and round, the message to the handler.
fn write_rating(
    unit: &UnitOfWork,
    id: ComplaintId,
    seen: &Seen,
    reporter: EntryId,
    rating: &NewRating,
    next: (State, i32),
) -> Done<()> {
    let level = rating.level;
    unit.later(&ratings::Entity::insert(ratings::ActiveModel {
        id: Set(EntryId::new(unit.randomness(), unit.now())),
        county_id: Set(seen.county_id),
        complaint_id: Set(id),
        reporter_id: Set(reporter),
        round: Set(seen.round),
        level: Set(level),
        comment: Set(rating.comment.clone()),
        at: Set(unit.now()),
    }));
    change_if_unchanged(unit, id, seen, next);
    let kind = if level.is_bad() { "complaint_rated_bad" } else { "complaint_rated" };
    let notice = seen.handler_id.map(|handler| {
        Notice::new(Recipient::Staff(handler), kind, id)
            .round(seen.round)
            .township(seen.township_id)
            // Tells two ratings of one round apart, and leads to nobody.
            .step(EntryId::new(unit.randomness(), unit.now()).to_string())
            .facts(json!({ "number": seen.number, "title": seen.title, "level": level, "rated_round": seen.round }))
    });
    Done::new((), AuditEntry::new("complaint_rated", id)).telling(notice)
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
    resident_active: Option<bool>,
    resident_county_id: Option<CountyId>,
    resident_township_id: Option<OrganizationId>,
    resident_village_id: Option<OrganizationId>,
    resident_staff_id: Option<StaffId>,
    rated: bool,
}

/// Complaint, reporter, resident and former rating in one reading, by how the reporter is known. In the database's words,
/// because putting it into them takes longer than running it.
macro_rules! look_as {
    ($reporter:literal) => {
        Look {
            columns: "complaint, who",
            select: concat!(
                "SELECT asked.place, c.county_id, c.township_id, c.number, c.title, c.state, c.round, c.handler_id, \
                   r.id AS reporter_id, r.resident_id AS reporter_resident_id, p.active AS resident_active, \
                   p.county_id AS resident_county_id, p.township_id AS resident_township_id, \
                   p.village_id AS resident_village_id, p.staff_id AS resident_staff_id, \
                   (rating.id IS NOT NULL) AS rated \
                 FROM asked CROSS JOIN complaints AS c \
                 LEFT JOIN complaint_reporters AS r ON r.complaint_id = c.id AND ",
                $reporter,
                " LEFT JOIN residents AS p ON p.id = r.resident_id \
                 LEFT JOIN complaint_ratings AS rating \
                   ON rating.complaint_id = c.id AND rating.round = c.round AND rating.reporter_id = r.id \
                 WHERE c.id = asked.complaint"
            ),
        }
    };
}
static AS_RESIDENT: Look = look_as!("r.resident_id = asked.who");
static BY_RECEIPT: Look = look_as!("r.receipt_digest = asked.who");
static AS_STRANGER: Look = look_as!("asked.who");

/// It locks nothing: the writing notices when it is overtaken.
async fn see(store: &Store, rater: Rater<'_>, id: ComplaintId) -> Result<Option<Seen>, Fault> {
    let (look, who) = match rater {
        Rater::Resident(resident) => (&AS_RESIDENT, resident.into()),
        Rater::Receipt(_, code) => (&BY_RECEIPT, code.clone().into_bytes().into()),
        Rater::Other(_) => (&AS_STRANGER, false.into()),
    };
    let row = store.look(look, vec![id.into(), who]).await?;
    Ok(row.map(|row| Seen::from_query_result(&row, "")).transpose()?)
}

/// The rater as the permission table knows them.
async fn who_rates(store: &Store, rater: Rater<'_>, seen: Option<&Seen>) -> Result<Actor, Fault> {
    let id = match rater {
        Rater::Receipt(actor, _) | Rater::Other(actor) => return Ok(actor.clone()),
        Rater::Resident(id) => id,
    };
    let resident = match seen.and_then(Seen::resident) {
        Some(resident) => Some(resident),
        // Brought nothing up here, or is on no roster any more.
        None => people::load_resident(store, id).await?,
    };
    Ok(Actor::Resident(resident.ok_or_else(|| Fault::refused(SignInRefusal::SessionOver))?))
}

impl Seen {
    fn resident(&self) -> Option<Resident> {
        self.resident_active?.then_some(Resident {
            id: self.reporter_resident_id?,
            county: self.resident_county_id?,
            township: self.resident_township_id?,
            village: self.resident_village_id?,
            also_staff: self.resident_staff_id,
        })
    }
}

/// The reporter that the actor is, provided that there is something to rate for them.
async fn reporter_who_may_rate(store: &Store, actor: &Actor, id: ComplaintId, seen: &Seen) -> Result<EntryId, Fault> {
    let Some(reporter) = seen.reporter_id else { return Err(refuse_stranger(store, actor, id).await) };
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
    Ok(reporter)
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

/// What the permission table says to somebody who did not bring it up. Whom it concerns does not learn of it.
async fn refuse_stranger(store: &Store, actor: &Actor, id: ComplaintId) -> Fault {
    let subject = async {
        let complaint = complaints::Entity::find_by_id(id).one(store.reader()).await?.ok_or_else(Refusal::not_found)?;
        subject_of(store.reader(), &complaint).await
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

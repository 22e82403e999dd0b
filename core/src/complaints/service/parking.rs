use chrono::{Days, NaiveDate};
use serde_json::json;

use super::{
    rating::open_bad_rating_case,
    steps::{Entry, advance, context, hold, note, reason, tell_reporters},
};
use crate::{
    audit::AuditEntry,
    calendar::Calendar,
    complaints::{Act, ComplaintRefusal, Event, PARKING_REVIEW, entity::complaints},
    deadlines::{self, DeadlineStatus, NewDeadline},
    ids::{ComplaintId, CountyId},
    people::{Actor, authorization::Action},
    publication::{PublicText, check_residents},
    refusal::{Fault, FieldFault, Refusal},
    storage::{Command, Done, Outcome, Store, UnitOfWork},
};

/// Parked is not forgotten: the office looks again after this many days at the latest.
const LATEST_REVIEW_DAYS: u64 = 180;

/// Why something has to wait, and when it is looked at again.
#[derive(Clone, Debug)]
pub struct Parking {
    pub reason: String,
    pub review_on: NaiveDate,
    /// Words that are on the village's roster and name nobody here.
    pub no_names: Vec<String>,
}

fn check_review(review_on: NaiveDate, today: NaiveDate) -> Result<(), Refusal> {
    if review_on > today && review_on <= today + Days::new(LATEST_REVIEW_DAYS) {
        return Ok(());
    }
    let sentence = format!("复核日期要在明天以后、{LATEST_REVIEW_DAYS}天以内。");
    Err(Refusal::invalid(vec![FieldFault::new("/review_on", sentence)]))
}

async fn open_review(unit: &UnitOfWork, complaint: &complaints::Model, review_on: NaiveDate) -> Result<(), Fault> {
    deadlines::open_again(
        unit,
        NewDeadline {
            county: complaint.county_id,
            township: Some(complaint.township_id),
            subject: complaint.id.into(),
            title: complaint.title.clone(),
            kind: PARKING_REVIEW,
            round: complaint.round,
            start_on: unit.today(),
            limit: json!({"fixed": review_on}),
            due_on: Some(review_on),
            explanation: "批准挂账时定下的复核日期".to_owned(),
            responsible_staff: None,
            responsible_unit: Some(complaint.township_id),
        },
    )
    .await
}

/// Whoever answers for the work does not put it off.
fn check_parks_no_own_work(actor: &Actor, complaint: &complaints::Model) -> Result<(), Fault> {
    let Some(staff) = actor.staff() else { return Ok(()) };
    let works_there = staff.posts.iter().any(|post| Some(post.organization) == complaint.lead_unit_id);
    if works_there || complaint.handler_id == Some(staff.id) {
        return Err(Fault::refused(ComplaintRefusal::ParkedByWorker));
    }
    Ok(())
}

/// A leader parks (挂账) what objectively cannot be solved now, or what somebody stays dissatisfied with and says no more
/// about: with a reason and a day of review that the resident is told and that stand on the public board (1.5, 1.6). It is
/// no close-out, and never counts as one.
///
/// # Errors
/// When the actor may not, works on it himself, or it cannot be parked as it stands.
pub async fn park(
    store: &Store,
    command: &Command,
    county: CountyId,
    id: ComplaintId,
    parking: &Parking,
) -> Result<Outcome<()>, Fault> {
    let why = PublicText::parse("/reason", &reason("/reason", &parking.reason)?)?.into_string();
    let (actor, review_on) = (command.actor.clone(), parking.review_on);
    let no_names = parking.no_names.clone();
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                let mut held = hold(unit, &actor, Action::ApproveParking, id).await?;
                check_parks_no_own_work(&actor, &held.complaint)?;
                check_review(review_on, unit.today())?;
                let texts = [("/reason".to_owned(), &*why)];
                let ordinary = check_residents(unit.connection(), held.complaint.village_id, &texts, &no_names).await?;
                let context = context(unit, &held.complaint).await?;
                advance(unit, &mut held.complaint, Act::Park, &context).await?;
                let text = format!("{why}（{}前复核）", review_on.format("%Y年%-m月%-d日"));
                let details = Some(json!({"reason": why, "review_on": review_on}));
                note(unit, &actor, &held.complaint, Entry { details, ..Entry::shown("parked", &text) });
                deadlines::end(unit, id.into(), None, DeadlineStatus::Suspended).await?;
                open_review(unit, &held.complaint, review_on).await?;
                let facts = json!({
                    "number": held.complaint.number, "title": held.complaint.title, "reason": why, "review_on": review_on,
                });
                let step = unit.now().timestamp().to_string();
                let notices =
                    tell_reporters(&held, "complaint_parked", &facts).into_iter().map(|notice| notice.step(&step));
                Ok(Done::new((), AuditEntry::new("complaint_parked", id))
                    .telling(notices)
                    .recording(ordinary.recorded(id)))
            })
        })
        .await
}

/// Work goes on: the suspended deadline runs again, moved by the days it stood still. What was parked against
/// somebody's dissatisfaction begins a new round.
///
/// # Errors
/// When the actor may not or it is not parked.
pub async fn resume(
    store: &Store,
    calendar: &Calendar,
    command: &Command,
    county: CountyId,
    id: ComplaintId,
) -> Result<Outcome<()>, Fault> {
    let (actor, calendar) = (command.actor.clone(), calendar.clone());
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                let mut held = hold(unit, &actor, Action::ParkComplaint, id).await?;
                let context = context(unit, &held.complaint).await?;
                let events = advance(unit, &mut held.complaint, Act::Resume, &context).await?;
                deadlines::end(unit, id.into(), Some(PARKING_REVIEW), DeadlineStatus::Met).await?;
                if events.contains(&Event::RoundOpened) {
                    open_bad_rating_case(unit, &calendar, &held.complaint).await?;
                } else {
                    deadlines::resume(unit, id.into()).await?;
                }
                note(unit, &actor, &held.complaint, Entry::shown("resumed", "恢复办理"));
                Ok(Done::new((), AuditEntry::new("complaint_resumed", id)))
            })
        })
        .await
}

use serde_json::json;

use super::{
    rating::open_bad_rating_case,
    steps::{Entry, advance, context, hold, note, tell_reporters},
};
use crate::{
    audit::AuditEntry,
    calendar::Calendar,
    complaints::{Act, Body, CallBackResult, ComplaintRefusal, Event, PARKING_REVIEW},
    deadlines::{self, DeadlineStatus},
    ids::{ComplaintId, CountyId},
    people::authorization::Action,
    refusal::Fault,
    storage::{Command, Done, Outcome, Store},
};

/// What somebody other than the handler heard from the resident.
#[derive(Clone, Debug)]
pub struct CallBack {
    pub result: CallBackResult,
    pub notes: String,
}

/// Records a call-back: after a bad rating before the complaint goes out again, and to those who stayed silent. "Not
/// content" counts as a bad rating.
///
/// # Errors
/// When the caller is who was rated, or there is nothing to call about.
pub async fn call_back(
    store: &Store,
    calendar: &Calendar,
    command: &Command,
    county: CountyId,
    id: ComplaintId,
    made: CallBack,
) -> Result<Outcome<()>, Fault> {
    let (actor, calendar) = (command.actor.clone(), calendar.clone());
    let notes = Body::parse("/notes", &made.notes)?.into_string();
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                let mut held = hold(unit, &actor, Action::CallBackReporter, id).await?;
                if held.complaint.handler_id.is_some()
                    && actor.staff().map(|staff| staff.id) == held.complaint.handler_id
                {
                    return Err(Fault::refused(ComplaintRefusal::CallBackByHandler));
                }
                let context = context(unit, &held.complaint).await?;
                let events = advance(unit, &mut held.complaint, Act::CallBack(made.result), &context).await?;
                let entry =
                    Entry { details: Some(json!({"result": made.result})), ..Entry::internal("called_back", &notes) };
                // Belongs to the round it opens: it is the call-back that a bad verdict asks for.
                note(unit, &actor, &held.complaint, entry);
                if events.contains(&Event::RoundOpened) {
                    deadlines::end(unit, id.into(), Some(PARKING_REVIEW), DeadlineStatus::Met).await?;
                    open_bad_rating_case(unit, &calendar, &held.complaint).await?;
                }
                Ok(Done::new((), AuditEntry::new("reporter_called_back", id)))
            })
        })
        .await
}

/// Closes the complaint, if the residents' verdict allows it. There is no way around it, for nobody.
///
/// # Errors
/// The verdict that stands against it.
pub async fn close(store: &Store, command: &Command, county: CountyId, id: ComplaintId) -> Result<Outcome<()>, Fault> {
    let actor = command.actor.clone();
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                let mut held = hold(unit, &actor, Action::CloseComplaint, id).await?;
                let context = context(unit, &held.complaint).await?;
                let events = advance(unit, &mut held.complaint, Act::Close, &context).await?;
                let silent = events.contains(&Event::ClosedInSilence);
                let text = if silent { "未收到评价，经回访后办结，单独统计" } else { "已办结" };
                note(unit, &actor, &held.complaint, Entry::shown("closed", text));
                deadlines::end(unit, id.into(), None, DeadlineStatus::Met).await?;
                let facts = json!({"number": held.complaint.number, "title": held.complaint.title, "silent": silent});
                let notices = tell_reporters(&held, "complaint_closed", &facts);
                Ok(Done::new((), AuditEntry::new("complaint_closed", id)).telling(notices))
            })
        })
        .await
}

use chrono::NaiveDate;
use serde_json::json;

use super::steps::{Entry, clocks, hold, note, tell_handler, tell_reporters};
use crate::{
    audit::AuditEntry,
    deadlines::{
        ExtensionStatus,
        extensions::{self, Decision},
    },
    ids::{ComplaintId, CountyId, ExtensionId},
    people::authorization::Action,
    refusal::{Fault, Refusal},
    storage::{Command, Done, Outcome, Store},
};

/// The unit asks for more time, before the limit ends and with a reason.
///
/// # Errors
/// [`extensions::ExtensionRefusal`].
pub async fn request_extension(
    store: &Store,
    command: &Command,
    county: CountyId,
    id: ComplaintId,
    new_due_on: NaiveDate,
    reason: &str,
) -> Result<Outcome<ExtensionId>, Fault> {
    let (actor, reason) = (command.actor.clone(), reason.to_owned());
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                let held = hold(unit, &actor, Action::RequestExtension, id).await?;
                let by = actor.staff().ok_or_else(Refusal::forbidden)?;
                let kind = if held.complaint.round == 1 { "answer" } else { "bad_rating" };
                let limits = clocks(unit, &held.complaint).await?.extension.into();
                let request = extensions::request(unit, id.into(), kind, by, new_due_on, &reason, limits).await?;
                note(unit, &actor, &held.complaint, Entry::internal("extension_requested", &request.reason));
                Ok(Done::new(request.id, AuditEntry::new("extension_requested", id)))
            })
        })
        .await
}

/// A superior decides; the resident is told the new date and the reason (XF art. 34).
///
/// # Errors
/// [`extensions::ExtensionRefusal`]; nobody decides on his own request or on what he handles himself.
pub async fn decide_extension(
    store: &Store,
    command: &Command,
    county: CountyId,
    id: ExtensionId,
    decision: Decision,
    reason: &str,
) -> Result<Outcome<()>, Fault> {
    let (actor, reason) = (command.actor.clone(), reason.to_owned());
    let complaint = ComplaintId(extensions::subject_id(store, id).await?);
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                let held = hold(unit, &actor, Action::DecideExtension, complaint).await?;
                let by = actor.staff().ok_or_else(Refusal::forbidden)?;
                let limits = clocks(unit, &held.complaint).await?.extension.into();
                let handler = held.complaint.handler_id;
                let (request, deadline) =
                    extensions::decide(unit, id, by.id, handler, decision, &reason, limits).await?;
                let facts = json!({
                    "number": held.complaint.number,
                    "title": held.complaint.title,
                    "approved": request.status == ExtensionStatus::Approved,
                    "due_on": deadline.due_on,
                    "reason": request.reason,
                    "decision_reason": request.decision_reason,
                });
                let mut notices = tell_handler(&held.complaint, "extension_decided", facts.clone());
                if request.status == ExtensionStatus::Approved {
                    let text = format!(
                        "办理期限延至{}，理由：{}",
                        request.new_due_on.format("%Y年%-m月%-d日"),
                        request.reason
                    );
                    note(unit, &actor, &held.complaint, Entry::shown("extended", &text));
                    notices.extend(tell_reporters(&held, "complaint_extended", &facts));
                } else {
                    note(unit, &actor, &held.complaint, Entry::internal("extension_refused", &reason));
                }
                let notices = notices.into_iter().map(|notice| notice.step(id.to_string()));
                Ok(Done::new((), AuditEntry::new("extension_decided", complaint)).telling(notices))
            })
        })
        .await
}

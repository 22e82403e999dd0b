use chrono::NaiveDate;
use serde_json::json;

use super::steps::{hold, note, tell_responsible};
use crate::{
    audit::AuditEntry,
    deadlines::{
        ExtensionStatus,
        extensions::{self, Decision, ExtensionLimits},
    },
    ids::{CountyId, ExtensionId, RectificationId},
    people::authorization::Action,
    publication::{PublicText, check_residents},
    refusal::{Fault, Refusal},
    storage::{Command, Done, Outcome, Store},
};

/// Plan A: complex items may run long, time gives way to quality. Each step needs its reason and stays public.
const LIMITS: ExtensionLimits = ExtensionLimits { most: None, longest_days: Some(180) };

/// The unit asks for more time.
///
/// # Errors
/// [`extensions::ExtensionRefusal`].
pub async fn request_extension(
    store: &Store,
    command: &Command,
    county: CountyId,
    id: RectificationId,
    new_due_on: NaiveDate,
    reason: &str,
    no_names: Vec<String>,
) -> Result<Outcome<ExtensionId>, Fault> {
    let (actor, reason) = (command.actor.clone(), PublicText::parse("/reason", reason)?.into_string());
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                let held = hold(unit, &actor, Action::WorkOnRectification, id).await?;
                let texts = [("/reason".to_owned(), &*reason)];
                let ordinary = check_residents(unit.connection(), held.item.village_id, &texts, &no_names).await?;
                let by = actor.staff().ok_or_else(Refusal::forbidden)?;
                let request = extensions::request(unit, id.into(), "rectify", by, new_due_on, &reason, LIMITS).await?;
                note(unit, &actor, &held.item, "extension_requested", &request.reason, false).await?;
                Ok(Done::new(request.id, AuditEntry::new("extension_requested", id)).recording(ordinary.recorded(id)))
            })
        })
        .await
}

/// A superior decides; a granted extension stands on the board with its reason.
///
/// # Errors
/// [`extensions::ExtensionRefusal`]; nobody decides on his own request or on what he answers for.
pub async fn decide_extension(
    store: &Store,
    command: &Command,
    county: CountyId,
    id: ExtensionId,
    decision: Decision,
    reason: &str,
) -> Result<Outcome<()>, Fault> {
    let (actor, reason) = (command.actor.clone(), reason.to_owned());
    let item = RectificationId(extensions::subject_id(store, id).await?);
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                let held = hold(unit, &actor, Action::DecideExtension, item).await?;
                let by = actor.staff().ok_or_else(Refusal::forbidden)?;
                let responsible = Some(held.item.responsible_staff_id);
                let (request, deadline) =
                    extensions::decide(unit, id, by.id, responsible, decision, &reason, LIMITS).await?;
                let approved = request.status == ExtensionStatus::Approved;
                let text = if approved {
                    format!("延期至{}，理由：{}", request.new_due_on.format("%Y年%-m月%-d日"), request.reason)
                } else {
                    format!("延期未获批准：{reason}")
                };
                note(unit, &actor, &held.item, "extension_decided", &text, approved).await?;
                let facts = json!({"title": held.item.title, "approved": approved, "due_on": deadline.due_on});
                let notice = tell_responsible(&held.item, "extension_decided", facts).step(id.to_string());
                Ok(Done::new((), AuditEntry::new("extension_decided", item)).telling([notice]))
            })
        })
        .await
}

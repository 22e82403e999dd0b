use serde_json::json;

use super::steps::{Entry, advance, context, hold, note, tell_reporters};
use crate::{
    audit::{AuditEntry, digest_of},
    complaints::{Act, Body, Opinion},
    deadlines::{self, DeadlineStatus},
    evidence,
    ids::{ComplaintId, CountyId, FileId},
    people::authorization::Action,
    refusal::Fault,
    storage::{Command, Done, Outcome, Store},
};

/// The written opinion (XF art. 32): what was found, the opinion, and its basis.
#[derive(Clone, Debug)]
pub struct NewAnswer {
    pub opinion: Opinion,
    pub facts: String,
    pub basis: String,
    pub photos: Vec<FileId>,
}

/// The unit answers; now the resident judges.
///
/// # Errors
/// When the actor may not, the text is missing or nobody has taken the complaint on.
pub async fn answer(
    store: &Store,
    command: &Command,
    county: CountyId,
    id: ComplaintId,
    new: NewAnswer,
) -> Result<Outcome<()>, Fault> {
    let actor = command.actor.clone();
    let facts = Body::parse("/facts", &new.facts)?.into_string();
    let basis = Body::parse("/basis", &new.basis)?.into_string();
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                let mut held = hold(unit, &actor, Action::HandleComplaint, id).await?;
                let context = context(unit, &held.complaint).await?;
                held.complaint.answered_at = Some(unit.now());
                advance(unit, &mut held.complaint, Act::Answer, &context).await?;
                let details = json!({"opinion": new.opinion, "basis": basis});
                let entry = Entry { details: Some(details), ..Entry::shown("answered", &facts) };
                note(unit, &actor, &held.complaint, entry);
                evidence::attach(unit, &actor, county, id.into(), evidence::Purpose::Answer, &new.photos).await?;
                deadlines::end(unit, id.into(), None, DeadlineStatus::Met).await?;
                let told = json!({"number": held.complaint.number, "title": held.complaint.title});
                let notices = tell_reporters(&held, "complaint_answered", &told);
                let mut audit = AuditEntry::new("complaint_answered", id);
                audit.after = Some(digest_of(&(&facts, &basis)));
                Ok(Done::new((), audit).telling(notices))
            })
        })
        .await
}

use super::{
    MOST_PHOTOS,
    steps::{Entry, hold, note},
};
use crate::{
    audit::AuditEntry,
    complaints::ComplaintRefusal,
    evidence::{self, PlatformMedia},
    ids::{ComplaintId, CountyId},
    people::authorization::Action,
    refusal::{Fault, FieldFault, Refusal},
    storage::{Command, Done, Outcome, Store},
};

/// A reporter adds photos or voice notes that a platform holds, as long as the complaint is not over.
///
/// # Errors
/// When it is not the actor's, is over, or would hold too many.
pub async fn supplement(
    store: &Store,
    command: &Command,
    county: CountyId,
    id: ComplaintId,
    media: Vec<PlatformMedia>,
) -> Result<Outcome<String>, Fault> {
    let actor = command.actor.clone();
    let resident = actor.resident().map(|resident| resident.id).ok_or_else(Refusal::forbidden)?;
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                let held = hold(unit, &actor, Action::SupplementComplaint, id).await?;
                if !held.complaint.state.is_open() {
                    return Err(Fault::refused(ComplaintRefusal::WrongState { state: held.complaint.state }));
                }
                let photos = evidence::attached_to(unit.connection(), [id.0]).await?.len();
                let recordings = evidence::recordings_of(unit.connection(), id).await?.len();
                let awaited = evidence::still_awaited(unit.connection(), id).await?;
                if photos + recordings + awaited + media.len() > MOST_PHOTOS * 2 {
                    let sentence = "这件诉求的照片、语音太多了，请直接交给办理的人。";
                    return Err(Refusal::invalid(vec![FieldFault::new("/photos", sentence)]).into());
                }
                evidence::expect(unit, county, id, resident, &media).await?;
                note(unit, &actor, &held.complaint, Entry::shown("supplemented", "反映人补充了照片或语音"));
                Ok(Done::new(held.complaint.number, AuditEntry::new("complaint_supplemented", id)))
            })
        })
        .await
}

//! Taps on the buttons of cards at WeCom.

use qingfeng_core::{
    clock::shanghai_date,
    groups::prepared,
    ids::{MessageId, StaffId},
    people::{self, Actor, phones},
    refusal::Fault,
    storage::{Command, Store},
};

use super::push::Push;

/// A card about a prepared post has a task that begins so and goes on with the post's id, `@` and something that is used
/// once.
pub(crate) const POST_TASK: &str = "post-";
/// The button that says: it is in the group.
pub(crate) const POSTED: &str = "posted";

/// Takes a tap. Whoever may not do what the button does has tapped in vain.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn take(store: &Store, push: &Push) -> Result<(), Fault> {
    let post = push.task_id.strip_prefix(POST_TASK).and_then(|task| task.split('@').next()?.parse::<uuid::Uuid>().ok());
    let (Some(post), POSTED) = (post, push.event_key.as_str()) else { return Ok(()) };
    let today = shanghai_date(store.clock().now());
    for member in phones::members(store.reader(), &push.from).await? {
        let Some(staff) = people::load_staff(store, StaffId(member.id), today).await? else { continue };
        let command = Command::by(&Actor::Staff(staff));
        match prepared::confirm(store, &command, member.county, MessageId(post)).await {
            // Tapped twice, or not his to confirm.
            Ok(_) | Err(Fault::Refused(_)) => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(())
}

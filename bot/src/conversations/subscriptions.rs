//! What the platform tells of subscribe messages: a choice in the pop-up, a switch in the settings, a message that did
//! not arrive after all.

use qingfeng_core::{
    outbox::{
        MessageState,
        consents::{self, Consent, Teller},
        entity,
    },
    people::phones,
    refusal::Fault,
    storage::Store,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};

use super::push::{Item, Push};

/// The account's code for "no accept left".
const NO_CONSENT: &str = "43101";

/// Takes an event of subscribe messages.
///
/// # Errors
/// When the database does not answer: the platform then delivers it again.
pub(super) async fn take(store: &Store, push: &Push) -> Result<(), Fault> {
    for item in &push.items {
        let Some(template) = item.field("TemplateId") else { continue };
        let consent = Consent::new(&push.from, template);
        match (push.event.as_str(), item.field("SubscribeStatusString")) {
            ("subscribe_msg_popup_event", Some("accept")) => accepted(store, push, consent).await?,
            // Only this is told: somebody switched the template off. A refusal in the pop-up leaves earlier accepts.
            ("subscribe_msg_change_event", Some("reject")) => consents::none_left(store, consent).await?,
            ("subscribe_msg_sent_event", _) => sent(store, item, consent).await?,
            _ => {}
        }
    }
    Ok(())
}

async fn accepted(store: &Store, push: &Push, consent: Consent) -> Result<(), Fault> {
    // Of somebody whom we do not know there is nothing to tell.
    let owners = phones::owners(store.reader(), &push.from).await?;
    let Some(owner) = owners.first() else { return Ok(()) };
    consents::accepted(store, owner.county, consent, Teller::Platform, 1).await
}

/// A message that the platform took and could not deliver is parked after all, for staff to see. The platform may tell so
/// before we have written down that it took the message: the event is then worked off later.
async fn sent(store: &Store, item: &Item, consent: Consent) -> Result<(), Fault> {
    let (Some(code), Some(number)) = (item.field("ErrorCode"), item.field("MsgID")) else { return Ok(()) };
    if code == "0" {
        return Ok(());
    }
    if code == NO_CONSENT {
        consents::none_left(store, consent).await?;
    }
    let (number, reason) = (number.to_owned(), format!("平台接收后没有送达（{code}）"));
    store
        .housekeeping(move |unit| {
            Box::pin(async move {
                // The number is the account's own: whom the message reached, himself or who stands in, it does not say.
                let parked = entity::Entity::update_many()
                    .col_expr(entity::Column::State, Expr::value(MessageState::Parked))
                    .col_expr(entity::Column::ParkedReason, Expr::value(reason))
                    .filter(entity::Column::PlatformReference.eq(number))
                    .filter(entity::Column::State.eq(MessageState::Sent))
                    .exec(unit.connection())
                    .await?;
                if parked.rows_affected == 0 {
                    return Err(Fault::unavailable("no message has this number yet"));
                }
                Ok(())
            })
        })
        .await
}

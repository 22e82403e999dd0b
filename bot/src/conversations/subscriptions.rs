//! What the platform tells of subscribe messages and template messages: a choice in the pop-up, a switch in the settings, a message
//! that did not arrive after all. An event may be worked off late, and more than once: what it says holds as of when it happened.

use chrono::{DateTime, TimeDelta, Utc};
use qingfeng_core::{
    outbox::{
        MessageState,
        consents::{self, Consent, Teller},
        entity,
    },
    people::phones,
    refusal::Fault,
    storage::{Store, UnitOfWork},
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, sea_query::Expr};

use super::push::{Item, Push};
use crate::delivery::OFFICIAL_ACCOUNT;

/// The account's code for "no accept left".
const NO_CONSENT: &str = "43101";
/// So long after the platform took a message we have written down its number, or never do: sending takes seconds.
const WRITTEN_DOWN_AFTER: TimeDelta = TimeDelta::minutes(1);

/// What the platform says of a template message that arrived, and of one that the person does not want.
const ARRIVED: &str = "success";
const BLOCKED: &str = "failed:user block";

/// Takes an event of subscribe messages or template messages.
///
/// # Errors
/// When the database does not answer: the platform then delivers it again.
pub(super) async fn take(store: &Store, push: &Push) -> Result<(), Fault> {
    if push.event == "TEMPLATESENDJOBFINISH" {
        return finished(store, push).await;
    }
    for item in &push.items {
        let Some(template) = item.field("TemplateId") else { continue };
        let consent = Consent::new(&push.from, template);
        match (push.event.as_str(), item.field("SubscribeStatusString")) {
            ("subscribe_msg_popup_event", Some("accept")) => accepted(store, push, consent).await?,
            // Only this is told: somebody switched the template off. A refusal in the pop-up leaves earlier accepts.
            ("subscribe_msg_change_event", Some("reject")) => switched_off(store, push, consent).await?,
            ("subscribe_msg_sent_event", _) => sent(store, push, item, consent).await?,
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

async fn switched_off(store: &Store, push: &Push, consent: Consent) -> Result<(), Fault> {
    let happened = happened_at(push);
    store
        .housekeeping(move |unit| {
            Box::pin(async move { consents::none_left_as_of(unit, &consent, happened.unwrap_or(unit.now())).await })
        })
        .await
}

/// A template message used up no accept: one that did not arrive is parked, and nothing else.
async fn finished(store: &Store, push: &Push) -> Result<(), Fault> {
    let why = match push.status.trim() {
        "" | ARRIVED => return Ok(()),
        BLOCKED => "本人不接收服务号的消息",
        _ => "服务号没有送达",
    };
    not_delivered(store, push, push.sent_id.trim(), why, None).await
}

/// A message that the platform took and could not deliver is parked after all, for staff to see, and its accept is given back,
/// or, when the platform says that there was none, all are void: both or neither, and once.
async fn sent(store: &Store, push: &Push, item: &Item, consent: Consent) -> Result<(), Fault> {
    let (Some(code), Some(number)) = (item.field("ErrorCode"), item.field("MsgID")) else { return Ok(()) };
    if code == "0" {
        return Ok(());
    }
    not_delivered(store, push, number, code, Some(consent)).await
}

async fn not_delivered(
    store: &Store,
    push: &Push,
    number: &str,
    why: &str,
    consent: Option<Consent>,
) -> Result<(), Fault> {
    let (why, number, happened) = (why.to_owned(), number.to_owned(), happened_at(push));
    store
        .housekeeping(move |unit| {
            Box::pin(async move {
                let account = of_account(consent.is_some());
                if park(unit, &number, account.clone(), &why).await? {
                    return match (consent, why.as_str()) {
                        (None, _) => Ok(()),
                        (Some(consent), NO_CONSENT) => {
                            consents::none_left_as_of(unit, &consent, happened.unwrap_or(unit.now())).await
                        }
                        (Some(consent), _) => consents::returned(unit, &consent).await,
                    };
                }
                if is_known(unit, &number, account).await? {
                    return Ok(());
                }
                // The platform may tell so before we have written down that it took the message. One that is not ours, or of
                // which nobody knows what became, says nothing of the accepts that are left: asking the platform does.
                match happened {
                    Some(happened) if unit.now() < happened + WRITTEN_DOWN_AFTER => {
                        Err(Fault::unavailable("no message has this number yet"))
                    }
                    _ => Ok(()),
                }
            })
        })
        .await
}

/// What left through the account whose numbers these are: the mini-program's subscribe messages are written down without a channel.
fn of_account(is_mini_program: bool) -> Condition {
    let channel = entity::Column::Channel;
    Condition::all().add(if is_mini_program { channel.is_null() } else { channel.eq(OFFICIAL_ACCOUNT) })
}

/// Whether a message had this number and was said to have arrived. The number is the account's own: whom the message reached,
/// himself or who stands in, it does not say.
async fn park(unit: &UnitOfWork, number: &str, account: Condition, why: &str) -> Result<bool, Fault> {
    let parked = entity::Entity::update_many()
        .col_expr(entity::Column::State, Expr::value(MessageState::Parked))
        .col_expr(entity::Column::ParkedReason, Expr::value(format!("平台接收后没有送达（{why}）")))
        .filter(entity::Column::PlatformReference.eq(number))
        .filter(account)
        .filter(entity::Column::State.eq(MessageState::Sent))
        .exec(unit.connection())
        .await?;
    Ok(parked.rows_affected > 0)
}

/// Whether it was worked off before, or somebody has decided meanwhile.
async fn is_known(unit: &UnitOfWork, number: &str, account: Condition) -> Result<bool, Fault> {
    let known = entity::Entity::find().filter(entity::Column::PlatformReference.eq(number)).filter(account);
    Ok(known.one(unit.connection()).await?.is_some())
}

/// The platform tells whole seconds: it happened before the next one.
fn happened_at(push: &Push) -> Option<DateTime<Utc>> {
    let second = DateTime::from_timestamp(push.created_at.parse::<i64>().ok()?, 0)?;
    Some(second + TimeDelta::milliseconds(999))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_happened_within_its_second() {
        let at = |created_at: &str| happened_at(&Push { created_at: created_at.into(), ..Push::default() });
        assert_eq!(at("1772413200").unwrap().to_rfc3339(), "2026-03-02T01:00:00.999+00:00");
        assert_eq!((at(""), at("yesterday"), at("99999999999999999")), (None, None, None));
    }
}

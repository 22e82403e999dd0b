//! From the outbox to the platforms.
//!
//! A message passes through four states on its way: *pending*; *sending* once a bot has claimed it; *departed* from just
//! before the request leaves; *sent* when the platform took it. A bot that dies while *sending* frees its messages when
//! the lease ends. One that dies while *departed* leaves them *unknown*: sending them again could double them, so a
//! person decides (never resend blindly). Only where the platform itself guards against doubles is the same request sent
//! again, as long as it does.

mod buttons;
mod card;
mod card_updates;
mod claim;
mod customer_group;
mod departure;
mod outcome;
mod person;
mod pointless;
mod prepare;
mod recipient;
mod review;

use chrono::{DateTime, Timelike as _, Utc};
use qingfeng_core::{
    clock::shanghai,
    groups::GroupKind,
    ids::{ResidentId, StaffId},
    outbox::{QUIET_FROM, QUIET_UNTIL, RecipientKind, entity::Model as Message, stops},
    refusal::Fault,
};
use uuid::Uuid;

pub use outcome::Outcome;
use recipient::GroupAddress;

use crate::{Bot, channels::Post, messages};

/// Messages claimed at once.
const BATCH: u64 = 100;

/// What a round did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    /// Cards and posts that the platforms took.
    pub cards: u32,
    /// Messages in them.
    pub messages: u32,
    pub parked: u32,
    pub postponed: u32,
    pub unknown: u32,
    /// Posts that a second person has to let go.
    pub held: u32,
    /// Posts that wait for a person to put them into an ordinary group.
    pub handed_over: u32,
}

pub(crate) async fn run(bot: &Bot) -> Result<Delivered, Fault> {
    let mut delivered = Delivered::default();
    if stops::in_force(bot.store.reader()).await?.is_some() {
        return Ok(delivered);
    }
    // A card that changes disturbs nobody.
    if let Err(fault) = card_updates::send(bot).await {
        tracing::error!(%fault, "cards could not be changed");
    }
    if is_quiet_at(bot.store.clock().now()) {
        return Ok(delivered);
    }
    claim::give_back_expired(bot).await?;
    departure::resolve(bot, &mut delivered).await?;
    loop {
        let claimed = claim::claim(bot, BATCH).await?;
        if claimed.is_empty() {
            return Ok(delivered);
        }
        for (recipient, messages) in by_recipient(claimed) {
            // The switch stops what has not left yet, also in the middle of a round.
            if stops::in_force(bot.store.reader()).await?.is_some() {
                claim::give_back(bot).await?;
                return Ok(delivered);
            }
            // One recipient's trouble is not the others'.
            if let Err(fault) = deliver(bot, recipient, messages, &mut delivered).await {
                tracing::error!(%fault, "a delivery failed");
            }
        }
    }
}

/// Whether nobody is to be disturbed at this instant.
#[must_use]
pub fn is_quiet_at(instant: DateTime<Utc>) -> bool {
    let hour = instant.with_timezone(&shanghai()).hour();
    !(QUIET_UNTIL..QUIET_FROM).contains(&hour)
}

fn by_recipient(messages: Vec<Message>) -> Vec<((RecipientKind, Uuid), Vec<Message>)> {
    let mut groups: Vec<((RecipientKind, Uuid), Vec<Message>)> = Vec::new();
    for message in messages {
        let key = (message.recipient_kind, message.recipient_id);
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, group)) => group.push(message),
            None => groups.push((key, vec![message])),
        }
    }
    groups
}

async fn deliver(
    bot: &Bot,
    (kind, id): (RecipientKind, Uuid),
    messages: Vec<Message>,
    delivered: &mut Delivered,
) -> Result<(), Fault> {
    let messages = pointless::withdraw(bot, messages).await?;
    if messages.is_empty() {
        return Ok(());
    }
    match kind {
        RecipientKind::Group => {
            let address = recipient::group(bot, id).await?;
            // Posts are read one by one: each says one thing.
            for message in messages {
                post(bot, address.as_ref(), message, delivered).await?;
            }
            Ok(())
        }
        RecipientKind::Staff => person::staff(bot, StaffId(id), messages, delivered).await,
        RecipientKind::Resident => person::resident(bot, ResidentId(id), messages, delivered).await,
    }
}

/// Into a group: by its robot, or by the hand of a person.
async fn post(
    bot: &Bot,
    address: Option<&GroupAddress>,
    message: Message,
    delivered: &mut Delivered,
) -> Result<(), Fault> {
    if let Some(address) = address
        && !review::passes(bot, &address.group, &message).await?
    {
        delivered.held += 1;
        return Ok(());
    }
    let outcome = match address {
        None => Outcome::Final("这个群已停用".into()),
        Some(GroupAddress { group, key: Some(key) }) if group.kind == GroupKind::WecomCustomerGroup => {
            customer_group::post(bot, group, key, &message).await?
        }
        Some(GroupAddress { group, key: Some(key) }) => {
            let post = Post::Markdown(messages::post(&message, &bot.settings.public_url));
            claim::depart(bot, std::slice::from_ref(&message)).await?;
            bot.channels.robots.post(group.kind, key, &post).await
        }
        Some(GroupAddress { group, key: None }) => match prepare::prepare(bot, group, &message).await? {
            Some(outcome) => outcome,
            None => {
                delivered.handed_over += 1;
                return Ok(());
            }
        },
    };
    claim::settle(bot, &[message], outcome, delivered).await
}

//! From the outbox to the platforms.
//!
//! A message passes through four states on its way: *pending*; *sending* once a bot has claimed it; *departed* from just
//! before the request leaves; *sent* when the platform took it. A bot that dies while *sending* frees its messages when
//! the lease ends. One that dies while *departed* leaves them *unknown*: sending them again could double them, so a
//! person decides (never resend blindly). Only where the platform itself guards against doubles is the same request sent
//! again, as long as it does.

mod card;
mod claim;
mod departure;
mod outcome;
mod recipient;

use chrono::{DateTime, NaiveTime, TimeDelta, Timelike as _, Utc};
use qingfeng_core::{
    clock::{shanghai, shanghai_date, shanghai_instant},
    ids::ResidentId,
    outbox::{RecipientKind, entity::Model as Message, opt_outs},
    people::PersonKind,
    refusal::Fault,
};
use uuid::Uuid;

pub use outcome::Outcome;

use crate::{Bot, channels::Post, messages};

/// No messages from nine in the evening to eight in the morning, Beijing time.
pub const QUIET_FROM: u32 = 21;
pub const QUIET_UNTIL: u32 = 8;

/// Cards per person and day; what comes on top waits for the next morning.
const CARDS_PER_DAY: u64 = 8;

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
}

pub(crate) async fn run(bot: &Bot) -> Result<Delivered, Fault> {
    let mut delivered = Delivered::default();
    if is_quiet_at(bot.store.clock().now()) || is_stopped(bot).await? {
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
            // One recipient's trouble is not the others'.
            if let Err(fault) = deliver(bot, recipient, messages, &mut delivered).await {
                tracing::error!(%fault, "a delivery failed");
            }
        }
    }
}

/// Key in the cache that stops all sending, for emergencies; `1` = stopped.
pub const STOP_SWITCH: &str = "bot:stopped";

async fn is_stopped(bot: &Bot) -> Result<bool, Fault> {
    Ok(bot.cache.get(STOP_SWITCH).await?.is_some())
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
    let messages = claim::withdraw_pointless(bot, messages).await?;
    if messages.is_empty() {
        return Ok(());
    }
    match kind {
        RecipientKind::Group => {
            let robot = recipient::robot(bot, id).await?;
            // Posts are read one by one: each says one thing.
            for message in messages {
                let Some((kind, key)) = &robot else {
                    claim::settle(bot, &[message], Outcome::Final("没有可用的群机器人".into()), delivered).await?;
                    continue;
                };
                let post = Post::Markdown(messages::post(&message, &bot.settings.public_url));
                claim::depart(bot, std::slice::from_ref(&message)).await?;
                let outcome = bot.channels.robots.post(*kind, key, &post).await;
                claim::settle(bot, &[message], outcome, delivered).await?;
            }
            Ok(())
        }
        RecipientKind::Staff | RecipientKind::Resident => {
            let person = match kind {
                RecipientKind::Staff => PersonKind::Staff,
                _ => PersonKind::Resident,
            };
            let address = recipient::address(bot, person, id).await?;
            if address.is_nowhere() {
                return claim::settle(bot, &messages, Outcome::Final("本人还没有绑定微信".into()), delivered).await;
            }
            if kind == RecipientKind::Resident && opt_outs::has_opted_out(&bot.store, ResidentId(id)).await? {
                return claim::settle(bot, &messages, Outcome::Final("本人已退订".into()), delivered).await;
            }
            if claim::cards_today(bot, id).await? >= CARDS_PER_DAY {
                let tomorrow = shanghai_date(bot.store.clock().now()) + TimeDelta::days(1);
                let morning = NaiveTime::from_hms_opt(QUIET_UNTIL, 0, 0).expect("an hour of the day");
                let later = Outcome::Waits {
                    until: shanghai_instant(tomorrow, morning),
                    reason: "今天的提醒已够多".into(),
                };
                return claim::settle(bot, &messages, later, delivered).await;
            }
            let card = messages::card(kind, &messages, shanghai_date(bot.store.clock().now()));
            let outcome = card::deliver(bot, &address, card, &messages).await?;
            claim::settle(bot, &messages, outcome, delivered).await
        }
    }
}

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
mod official_account;
mod outcome;
mod person;
mod pointless;
mod prepare;
mod recipient;
mod review;
mod round;
mod todays_cards;

use qingfeng_core::{
    clock::shanghai_date,
    groups::{self, GroupKind, entity::Model as Group},
    ids::{ResidentId, StaffId},
    outbox::{self, Notice, QUIET_UNTIL, Recipient, RecipientKind, alarms, entity::Model as Message},
    people::{Role, holders},
    refusal::Fault,
};
use serde_json::json;
use uuid::Uuid;

pub(crate) use departure::OFFICIAL_ACCOUNT;
pub use outcome::Outcome;
use recipient::GroupAddress;
pub(crate) use review::readers;
pub use round::is_quiet_at;
use round::{End, Round};

use crate::{
    Bot,
    channels::Post,
    messages::{self, Wordings},
};

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
    /// Posts that wait for a person: to put them into an ordinary group, or to tap them at WeCom.
    pub handed_over: u32,
    /// The round ended while more was due: the next one need not wait.
    pub more: bool,
}

pub(crate) async fn run(bot: &Bot) -> Result<Delivered, Fault> {
    let mut delivered = Delivered::default();
    let round = Round::begin(bot);
    if round.end(bot).await? == Some(End::Stopped) {
        return Ok(delivered);
    }
    // A card that changes disturbs nobody.
    if let Err(fault) = card_updates::send(bot, &round).await {
        tracing::error!(%fault, "cards could not be changed");
    }
    if let Err(fault) = customer_group::look(bot, &round).await {
        tracing::error!(%fault, "tasks into customer groups could not be looked after");
    }
    if let Some(end) = round.end(bot).await? {
        delivered.more = end == End::LongEnough;
        return Ok(delivered);
    }
    claim::give_back_expired(bot).await?;
    departure::resolve(bot, &round, &mut delivered).await?;
    loop {
        let claimed = claim::claim(bot, BATCH).await?;
        if claimed.is_empty() {
            return Ok(delivered);
        }
        // Words that were released meanwhile hold from the next claim on.
        let wordings = Wordings::in_force(bot).await?;
        let end = deliver_all(bot, &round, &wordings, claimed, &mut delivered).await?;
        wordings.tell_failures(bot).await?;
        if let Some(end) = end {
            claim::give_back(bot).await?;
            delivered.more = end == End::LongEnough;
            return Ok(delivered);
        }
    }
}

/// Delivers what was claimed, unless the round ends before: then why.
async fn deliver_all(
    bot: &Bot,
    round: &Round,
    wordings: &Wordings,
    claimed: Vec<Message>,
    delivered: &mut Delivered,
) -> Result<Option<End>, Fault> {
    for (recipient, messages) in by_recipient(claimed) {
        if let Some(end) = round.end(bot).await? {
            return Ok(Some(end));
        }
        // One recipient's trouble is not the others', and has an end: after the usual attempts a person looks at it.
        if let Err(fault) = deliver(bot, round, wordings, recipient, messages.clone(), delivered).await {
            tracing::error!(%fault, "a delivery failed");
            let at = bot.store.clock().now();
            let later = Outcome::Later { at, reason: "系统内部出错，正在重试".into() };
            claim::settle_unsent(bot, &messages, later, delivered).await?;
        }
    }
    round.end(bot).await
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
    round: &Round,
    wordings: &Wordings,
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
            let mut address = recipient::group(bot, id).await?;
            // Posts are read one by one: each says one thing.
            for message in messages {
                if round.end(bot).await?.is_some() {
                    break;
                }
                match post(bot, wordings, address.as_ref(), message, delivered).await? {
                    Way::Open => {}
                    Way::Gone => address = None,
                    Way::Rekeyed => address = recipient::group(bot, id).await?,
                }
            }
            Ok(())
        }
        RecipientKind::Staff => person::staff(bot, wordings, StaffId(id), messages, delivered).await,
        RecipientKind::Resident => person::resident(bot, wordings, ResidentId(id), messages, delivered).await,
    }
}

/// Whether there is a way into a group after a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Open,
    /// Its robot is gone: the next post need not ask it.
    Gone,
    /// Its robot has another key than the one that was read.
    Rekeyed,
}

/// Into a group: by its robot, or by the hand of a person.
async fn post(
    bot: &Bot,
    wordings: &Wordings,
    address: Option<&GroupAddress>,
    message: Message,
    delivered: &mut Delivered,
) -> Result<Way, Fault> {
    if let Some(address) = address
        && !review::passes(bot, wordings, &address.group, &message).await?
    {
        delivered.held += 1;
        return Ok(Way::Open);
    }
    let outcome = match address {
        None => Outcome::Final("这个群已停用".into()),
        Some(GroupAddress { group, key: Some(key) }) if group.kind == GroupKind::WecomCustomerGroup => {
            match customer_group::post(bot, wordings, group, key, &message).await? {
                Some(outcome) => outcome,
                None => {
                    delivered.handed_over += 1;
                    return Ok(Way::Open);
                }
            }
        }
        Some(GroupAddress { group, key: Some(key) }) => {
            let post = Post::Markdown(messages::post(&message, wordings));
            if claim::depart(bot, std::slice::from_ref(&message)).await? {
                bot.channels.robots.post(group.kind, key, &post).await
            } else {
                claim::taken_over(bot)
            }
        }
        Some(GroupAddress { group, key: None }) => match prepare::prepare(bot, wordings, group, &message).await? {
            Some(outcome) => outcome,
            None => {
                delivered.handed_over += 1;
                return Ok(Way::Open);
            }
        },
    };
    let (outcome, way) = match (outcome, address) {
        (Outcome::Dead(reason), Some(GroupAddress { group, .. })) => {
            if retire(bot, group).await? {
                (Outcome::Dead(reason), Way::Gone)
            } else {
                let until = bot.store.clock().now();
                (Outcome::Waits { until, reason: "这个群的机器人刚换了密钥".into() }, Way::Rekeyed)
            }
        }
        (Outcome::Taken(reference), Some(GroupAddress { group, .. })) => {
            alarms::works(&bot.store, &alarms::of_group(group.id)).await?;
            (Outcome::Taken(reference), Way::Open)
        }
        (outcome, _) => (outcome, Way::Open),
    };
    claim::settle(bot, &[message], outcome, delivered).await?;
    Ok(way)
}

/// Nothing goes into a group any more whose robot is gone; those who can set it up anew are told once. False when the robot has
/// got another key meanwhile: then it was only the old one that is gone.
async fn retire(bot: &Bot, group: &Group) -> Result<bool, Fault> {
    let today = shanghai_date(bot.store.clock().now());
    let mut told = Vec::new();
    for role in [Role::GroupAdministrator, Role::TownshipOffice] {
        if told.is_empty() {
            told = holders(bot.store.reader(), group.township_id, &[role], today).await?;
        }
    }
    let notice = |staff: StaffId| {
        Notice::new(Recipient::Staff(staff), "group_robot_gone", group.id)
            .step(today.to_string())
            .township(group.township_id)
            .facts(json!({"title": group.name}))
    };
    let (group, notices) = (group.clone(), told.into_iter().map(notice).collect());
    bot.store
        .housekeeping(move |unit| {
            Box::pin(async move {
                let is_retired = groups::retire(unit, &group).await?;
                if is_retired {
                    alarms::group_gone(unit, &group).await?;
                    outbox::enqueue(unit, group.county_id, notices).await?;
                }
                Ok(is_retired)
            })
        })
        .await
}

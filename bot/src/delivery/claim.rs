//! The book-keeping of a message's way, each step a short transaction of its own: none is open while something is sent.

use chrono::{DateTime, TimeDelta, Utc};
use qingfeng_core::{
    groups::retraction,
    ids::{MessageId, random_id},
    outbox::{
        self, MessageState, Priority, RecipientKind,
        consents::{self, Consent, Validity},
        departures,
        entity::{Column, Entity, Model as Message},
    },
    refusal::Fault,
    storage::UnitOfWork,
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, Iterable as _, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, LockBehavior, LockType, SelectStatement},
};

use super::{Delivered, Outcome};
use crate::Bot;

/// Longer than any attempt to send takes; begins anew when a message leaves.
pub(super) const LEASE: TimeDelta = TimeDelta::minutes(5);

/// After so many attempts, more than a week of them, a person has to look.
const MOST_ATTEMPTS: i32 = 40;

/// Longest pause between two attempts.
const LONGEST_PAUSE: TimeDelta = TimeDelta::hours(4);

/// The pause after so many failed attempts: one minute, doubled each time. A platform that is away for days must not use
/// up the attempts.
fn pause(attempts: i32) -> TimeDelta {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0).min(16);
    TimeDelta::minutes(1 << doublings).min(LONGEST_PAUSE)
}

/// Takes messages that are due for this bot, and with them all that is due for the same recipients: one card says it.
pub(super) async fn claim(bot: &Bot, most: u64) -> Result<Vec<Message>, Fault> {
    let holder = bot.holder.clone();
    bot.store
        .housekeeping(move |unit| {
            Box::pin(async move {
                // One bot looks at a time: two of them must not each take a part of what is due for one person.
                unit.one_at_a_time("outbox_claim").await?;
                let mut recipients = Vec::new();
                for priority in Priority::iter() {
                    let room = most.saturating_sub(recipients.len() as u64);
                    if room == 0 {
                        break;
                    }
                    let first = outbox::due(priority, unit.now())
                        .limit(room)
                        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
                        .all(unit.connection())
                        .await?;
                    recipients.extend(first.iter().map(|message| message.recipient_id));
                }
                if recipients.is_empty() {
                    return Ok(Vec::new());
                }
                let due = Entity::find()
                    .filter(Column::State.eq(MessageState::Pending))
                    .filter(Column::NotBefore.lte(unit.now()))
                    .filter(Column::RecipientId.is_in(recipients))
                    .order_by_asc(Column::Priority)
                    .order_by_asc(Column::NotBefore)
                    .order_by_asc(Column::Id)
                    .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
                    .all(unit.connection())
                    .await?;
                Entity::update_many()
                    .col_expr(Column::State, Expr::value(MessageState::Sending))
                    .col_expr(Column::LeaseHolder, Expr::value(holder))
                    .col_expr(Column::LeaseUntil, Expr::value(unit.now() + LEASE))
                    .filter(Column::Id.is_in(due.iter().map(|message| message.id)))
                    .exec(unit.connection())
                    .await?;
                Ok(due)
            })
        })
        .await
}

/// Frees the messages of bots that died: those that had not left are pending again, those that may have left are
/// unknown.
pub(super) async fn give_back_expired(bot: &Bot) -> Result<(), Fault> {
    bot.store
        .housekeeping(|unit| {
            Box::pin(async move {
                let is_not_guarded = Condition::any()
                    .add(Column::DepartureId.is_null())
                    .add(Column::DepartureId.not_in_subquery(guarded(unit.now())));
                for (from, to, reason, which) in [
                    (MessageState::Sending, MessageState::Pending, None, Condition::all()),
                    // Its correction is on its way already; nobody is to send it again.
                    (
                        MessageState::Departed,
                        MessageState::Withdrawn,
                        Some("已撤回，不知道群里是否收到，另发更正"),
                        Condition::all().add(Column::RetractedAt.is_not_null()),
                    ),
                    (
                        MessageState::Departed,
                        MessageState::Unknown,
                        Some("发送时程序中断，不知道对方是否收到"),
                        is_not_guarded,
                    ),
                ] {
                    let mut update = Entity::update_many();
                    if from == MessageState::Departed {
                        update = update.col_expr(Column::MayHaveArrived, Expr::value(true));
                    }
                    update
                        .col_expr(Column::State, Expr::value(to))
                        .col_expr(Column::ParkedReason, Expr::value(reason))
                        .col_expr(Column::LeaseHolder, Expr::value(Option::<String>::None))
                        .filter(Column::State.eq(from))
                        .filter(Column::LeaseUntil.lt(unit.now()))
                        .filter(which)
                        .exec(unit.connection())
                        .await?;
                }
                Ok(())
            })
        })
        .await
}

/// Frees what this bot has claimed and not sent.
pub(super) async fn give_back(bot: &Bot) -> Result<(), Fault> {
    let holder = bot.holder.clone();
    bot.store
        .housekeeping(move |unit| {
            Box::pin(async move {
                Entity::update_many()
                    .col_expr(Column::State, Expr::value(MessageState::Pending))
                    .col_expr(Column::LeaseHolder, Expr::value(Option::<String>::None))
                    .col_expr(Column::LeaseUntil, Expr::value(Option::<DateTime<Utc>>::None))
                    .filter(Column::State.eq(MessageState::Sending))
                    .filter(Column::LeaseHolder.eq(holder))
                    .exec(unit.connection())
                    .await?;
                Ok(())
            })
        })
        .await
}

/// Requests that may be sent again.
fn guarded(now: DateTime<Utc>) -> SelectStatement {
    sea_orm::QuerySelect::query(
        &mut departures::Entity::find()
            .select_only()
            .column(departures::Column::Id)
            .filter(departures::Column::GuardedUntil.gt(now)),
    )
    .to_owned()
}

/// Written just before the request leaves. False when the messages are no longer this bot's, because it was so slow that
/// another one has them: then nothing may leave.
pub(super) async fn depart(bot: &Bot, messages: &[Message]) -> Result<bool, Fault> {
    let (holder, ids) = (bot.holder.clone(), ids(messages));
    bot.store.housekeeping(move |unit| Box::pin(async move { leave(unit, &holder, &ids, None).await })).await
}

/// The same for a message that uses up an accept: both are written, or neither is.
pub(super) async fn depart_with_consent(
    bot: &Bot,
    messages: &[Message],
    consent: &Consent,
    validity: Validity,
) -> Result<Leave, Fault> {
    let (holder, ids, consent) = (bot.holder.clone(), ids(messages), consent.clone());
    bot.store
        .housekeeping(move |unit| {
            Box::pin(async move {
                if !outbox::is_held(unit, &holder, &ids).await? {
                    return Ok(Leave::NotOurs);
                }
                if !consents::take(unit, &consent, validity).await? {
                    return Ok(Leave::NoConsent);
                }
                leave(unit, &holder, &ids, None).await?;
                Ok(Leave::Granted)
            })
        })
        .await
}

/// Whether a message may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leave {
    Granted,
    NoConsent,
    NotOurs,
}

/// What becomes of messages that another bot has taken over: nothing, here.
pub(super) fn taken_over(bot: &Bot) -> Outcome {
    Outcome::Waits { until: bot.store.clock().now(), reason: "已由另一个程序接着发".into() }
}

fn ids(messages: &[Message]) -> Vec<MessageId> {
    messages.iter().map(|message| message.id).collect()
}

/// Marks messages as departed in one card or post, under the request that is kept for it, if one is.
pub(super) async fn leave(
    unit: &UnitOfWork,
    holder: &str,
    ids: &[MessageId],
    request: Option<(&'static str, uuid::Uuid)>,
) -> Result<bool, Fault> {
    if !outbox::is_held(unit, holder, ids).await? {
        return Ok(false);
    }
    let (channel, id) = request.unzip();
    Entity::update_many()
        .col_expr(Column::State, Expr::value(MessageState::Departed))
        .col_expr(Column::LeaseUntil, Expr::value(unit.now() + LEASE))
        .col_expr(Column::DepartureId, Expr::value(id))
        .col_expr(Column::CardId, Expr::value(random_id(unit.randomness())))
        .col_expr(Column::LeftAt, Expr::value(unit.now()))
        // Not the channel of an attempt before, from which it fell back on this one.
        .col_expr(Column::Channel, Expr::value(channel))
        .filter(Column::Id.is_in(ids.iter().copied()))
        .exec(unit.connection())
        .await?;
    Ok(true)
}

pub(super) async fn set_state(bot: &Bot, messages: Vec<Message>, state: MessageState) -> Result<(), Fault> {
    let holder = bot.holder.clone();
    bot.store
        .housekeeping(move |unit| {
            Box::pin(async move {
                Entity::update_many()
                    .col_expr(Column::State, Expr::value(state))
                    .filter(Column::Id.is_in(ids(&messages)))
                    .filter(Column::LeaseHolder.eq(holder))
                    .exec(unit.connection())
                    .await?;
                Ok(())
            })
        })
        .await
}

/// The same for an attempt that broke off: what has left already is not touched, and becomes unknown in its time.
pub(super) async fn settle_unsent(
    bot: &Bot,
    messages: &[Message],
    outcome: Outcome,
    delivered: &mut Delivered,
) -> Result<(), Fault> {
    let unsent = Entity::find()
        .filter(Column::Id.is_in(ids(messages)))
        .filter(Column::State.eq(MessageState::Sending))
        .filter(Column::LeaseHolder.eq(bot.holder.as_str()))
        .all(bot.store.reader())
        .await?;
    settle(bot, &unsent, outcome, delivered).await
}

/// Writes down how the attempt ended, for what is still this bot's.
pub(super) async fn settle(
    bot: &Bot,
    messages: &[Message],
    outcome: Outcome,
    delivered: &mut Delivered,
) -> Result<(), Fault> {
    let count = u32::try_from(messages.len()).unwrap_or(u32::MAX);
    let before = messages.iter().map(|message| message.attempts).max().unwrap_or(0);
    let attempts = before + i32::from(!matches!(outcome, Outcome::Waits { .. } | Outcome::Stopped(_)));
    let outcome = match outcome {
        Outcome::Later { reason, .. } if attempts >= MOST_ATTEMPTS => {
            Outcome::Final(format!("多次重试仍未成功：{reason}"))
        }
        other => other,
    };
    match &outcome {
        Outcome::Taken(_) => {
            delivered.cards += 1;
            delivered.messages += count;
        }
        Outcome::Later { .. } | Outcome::Waits { .. } | Outcome::Repeatable { .. } | Outcome::Stopped(_) => {
            delivered.postponed += count;
        }
        Outcome::Final(_) | Outcome::NoConsent(_) | Outcome::Dead(_) => delivered.parked += count,
        Outcome::Unknown(_) => delivered.unknown += count,
    }
    let is_post = messages.iter().any(|message| message.recipient_kind == RecipientKind::Group);
    let (holder, ids) = (bot.holder.clone(), ids(messages));
    bot.store
        .housekeeping(move |unit| {
            Box::pin(async move {
                let again_at = match &outcome {
                    Outcome::Repeatable { at, .. } => Some(*at),
                    _ => None,
                };
                let mut update = Entity::update_many()
                    .col_expr(Column::LeaseHolder, Expr::value(Option::<String>::None))
                    .col_expr(Column::LeaseUntil, Expr::value(again_at))
                    .col_expr(Column::Attempts, Expr::value(attempts))
                    .filter(Column::Id.is_in(ids.iter().copied()))
                    .filter(Column::LeaseHolder.eq(holder))
                    .filter(Column::State.is_in([MessageState::Sending, MessageState::Departed]));
                if !matches!(outcome, Outcome::Repeatable { .. }) {
                    update = update.col_expr(Column::DepartureId, Expr::value(Option::<uuid::Uuid>::None));
                }
                let update = match outcome {
                    Outcome::Taken(reference) => update
                        .col_expr(Column::State, Expr::value(MessageState::Sent))
                        .col_expr(Column::SentAt, Expr::value(unit.now()))
                        .col_expr(Column::ParkedReason, Expr::value(Option::<String>::None))
                        .col_expr(Column::PlatformReference, Expr::value(reference)),
                    Outcome::Later { at, reason } => update
                        .col_expr(Column::State, Expr::value(MessageState::Pending))
                        .col_expr(Column::NotBefore, Expr::value(at.max(unit.now() + pause(attempts))))
                        .col_expr(Column::ParkedReason, Expr::value(reason)),
                    Outcome::Waits { until, reason } => update
                        .col_expr(Column::State, Expr::value(MessageState::Pending))
                        .col_expr(Column::NotBefore, Expr::value(until))
                        .col_expr(Column::ParkedReason, Expr::value(reason)),
                    Outcome::Final(reason) | Outcome::NoConsent(reason) | Outcome::Dead(reason) => update
                        .col_expr(Column::State, Expr::value(MessageState::Parked))
                        .col_expr(Column::ParkedReason, Expr::value(reason)),
                    Outcome::Stopped(reason) => update
                        .col_expr(Column::State, Expr::value(MessageState::Stopped))
                        .col_expr(Column::ParkedReason, Expr::value(reason)),
                    Outcome::Repeatable { reason, .. } => update
                        .col_expr(Column::State, Expr::value(MessageState::Departed))
                        .col_expr(Column::ParkedReason, Expr::value(reason)),
                    Outcome::Unknown(reason) => update
                        .col_expr(Column::State, Expr::value(MessageState::Unknown))
                        .col_expr(Column::MayHaveArrived, Expr::value(true))
                        .col_expr(Column::ParkedReason, Expr::value(reason)),
                };
                update.exec(unit.connection()).await?;
                if is_post {
                    retraction::hold_back(unit, &ids).await?;
                }
                Ok(())
            })
        })
        .await
}

/// Writes down whom messages reach, so that the card counts for who gets it; before the count, so that of two bots at least one
/// sees the other's.
pub(super) async fn reaches(bot: &Bot, messages: &[Message], deputy: Option<uuid::Uuid>) -> Result<(), Fault> {
    let (holder, ids) = (bot.holder.clone(), ids(messages));
    bot.store
        .housekeeping(move |unit| {
            Box::pin(async move {
                Entity::update_many()
                    .col_expr(Column::ReachedId, Expr::value(deputy))
                    .filter(Column::Id.is_in(ids))
                    .filter(Column::State.eq(MessageState::Sending))
                    .filter(Column::LeaseHolder.eq(holder))
                    .exec(unit.connection())
                    .await?;
                Ok(())
            })
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_of_a_week_does_not_use_up_the_attempts() {
        assert_eq!(pause(1), TimeDelta::minutes(1));
        assert_eq!(pause(4), TimeDelta::minutes(8));
        assert_eq!(pause(1000), LONGEST_PAUSE);
        let waited: TimeDelta = (1..MOST_ATTEMPTS).map(pause).sum();
        // Nothing is tried at night, so the true span is longer still.
        assert!(waited > TimeDelta::days(5), "{waited}");
    }
}

//! The book-keeping of a message's way, each step a short transaction of its own: none is open while something is sent.

use chrono::TimeDelta;
use qingfeng_core::{
    deadlines::{DeadlineStatus, entity::deadlines},
    outbox::{
        MessageState,
        entity::{Column, Entity, Model as Message},
    },
    refusal::Fault,
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, LockBehavior, LockType},
};

use super::{Delivered, Outcome};
use crate::Bot;

/// Longer than any attempt to send takes.
const LEASE: TimeDelta = TimeDelta::minutes(5);

/// After so many attempts a person has to look.
const MOST_ATTEMPTS: i32 = 12;

/// Takes messages that are due for this bot.
pub(super) async fn claim(bot: &Bot, most: u64) -> Result<Vec<Message>, Fault> {
    let holder = bot.holder.clone();
    bot.store
        .housekeeping(move |unit| {
            Box::pin(async move {
                let due = Entity::find()
                    .filter(Column::State.eq(MessageState::Pending))
                    .filter(Column::NotBefore.lte(unit.now()))
                    .order_by_asc(Column::NotBefore)
                    .order_by_asc(Column::Id)
                    .limit(most)
                    .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
                    .all(unit.connection())
                    .await?;
                if due.is_empty() {
                    return Ok(due);
                }
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
                for (from, to, reason) in [
                    (MessageState::Sending, MessageState::Pending, None),
                    (MessageState::Departed, MessageState::Unknown, Some("发送时程序中断，不知道对方是否收到")),
                ] {
                    Entity::update_many()
                        .col_expr(Column::State, Expr::value(to))
                        .col_expr(Column::ParkedReason, Expr::value(reason))
                        .col_expr(Column::LeaseHolder, Expr::value(Option::<String>::None))
                        .filter(Column::State.eq(from))
                        .filter(Column::LeaseUntil.lt(unit.now()))
                        .exec(unit.connection())
                        .await?;
                }
                Ok(())
            })
        })
        .await
}

/// Withdraws reminders whose deadline was met or moved since they were written. Returns the others.
pub(super) async fn withdraw_pointless(bot: &Bot, messages: Vec<Message>) -> Result<Vec<Message>, Fault> {
    let of = |message: &Message| message.facts.get("deadline_id")?.as_str()?.parse::<uuid::Uuid>().ok();
    let ids: Vec<_> = messages.iter().filter_map(of).collect();
    if ids.is_empty() {
        return Ok(messages);
    }
    let running = deadlines::Entity::find()
        .filter(deadlines::Column::Id.is_in(ids))
        .filter(deadlines::Column::Status.eq(DeadlineStatus::Open))
        .all(bot.store.reader())
        .await?;
    let still_true = |message: &Message| match of(message) {
        None => true,
        Some(id) => running.iter().any(|deadline| {
            let told = message.facts.get("due_on").and_then(|date| date.as_str());
            deadline.id.0 == id && deadline.due_on.map(|date| date.to_string()).as_deref() == told
        }),
    };
    let (keep, drop): (Vec<_>, Vec<_>) = messages.into_iter().partition(still_true);
    if !drop.is_empty() {
        set_state(bot, drop, MessageState::Withdrawn).await?;
    }
    Ok(keep)
}

/// Written just before the request leaves.
pub(super) async fn depart(bot: &Bot, messages: &[Message]) -> Result<(), Fault> {
    set_state(bot, messages.to_vec(), MessageState::Departed).await
}

async fn set_state(bot: &Bot, messages: Vec<Message>, state: MessageState) -> Result<(), Fault> {
    bot.store
        .housekeeping(move |unit| {
            Box::pin(async move {
                Entity::update_many()
                    .col_expr(Column::State, Expr::value(state))
                    .filter(Column::Id.is_in(messages.iter().map(|message| message.id)))
                    .exec(unit.connection())
                    .await?;
                Ok(())
            })
        })
        .await
}

/// Writes down how the attempt ended.
pub(super) async fn settle(
    bot: &Bot,
    messages: &[Message],
    outcome: Outcome,
    delivered: &mut Delivered,
) -> Result<(), Fault> {
    let count = u32::try_from(messages.len()).unwrap_or(u32::MAX);
    let attempts = messages.iter().map(|message| message.attempts).max().unwrap_or(0) + 1;
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
        Outcome::Later { .. } => delivered.postponed += count,
        Outcome::Final(_) => delivered.parked += count,
        Outcome::Unknown(_) => delivered.unknown += count,
    }
    let ids: Vec<_> = messages.iter().map(|message| message.id).collect();
    bot.store
        .housekeeping(move |unit| {
            Box::pin(async move {
                let update = Entity::update_many()
                    .col_expr(Column::LeaseHolder, Expr::value(Option::<String>::None))
                    .col_expr(Column::LeaseUntil, Expr::value(Option::<chrono::DateTime<chrono::Utc>>::None))
                    .col_expr(Column::Attempts, Expr::value(attempts))
                    .filter(Condition::all().add(Column::Id.is_in(ids)));
                let update = match outcome {
                    Outcome::Taken(reference) => update
                        .col_expr(Column::State, Expr::value(MessageState::Sent))
                        .col_expr(Column::SentAt, Expr::value(unit.now()))
                        .col_expr(Column::ParkedReason, Expr::value(Option::<String>::None))
                        .col_expr(Column::PlatformReference, Expr::value(reference)),
                    Outcome::Later { at, reason } => update
                        .col_expr(Column::State, Expr::value(MessageState::Pending))
                        .col_expr(Column::NotBefore, Expr::value(at))
                        .col_expr(Column::ParkedReason, Expr::value(reason)),
                    Outcome::Final(reason) => update
                        .col_expr(Column::State, Expr::value(MessageState::Parked))
                        .col_expr(Column::ParkedReason, Expr::value(reason)),
                    Outcome::Unknown(reason) => update
                        .col_expr(Column::State, Expr::value(MessageState::Unknown))
                        .col_expr(Column::ParkedReason, Expr::value(reason)),
                };
                update.exec(unit.connection()).await?;
                Ok(())
            })
        })
        .await
}

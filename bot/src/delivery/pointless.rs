//! Messages whose reason is gone before they were sent.

use qingfeng_core::{
    clock::shanghai_date,
    deadlines::{self as ledger, DeadlineStatus, entity::deadlines},
    groups::{
        prepared::{PreparedState, entity as prepared},
        tasks::{TaskState, entity as tasks},
    },
    ids::{DeadlineId, MessageId, StaffId},
    outbox::{MessageState, entity::Model as Message},
    refusal::Fault,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::claim;
use crate::Bot;

/// Withdraws reminders whose deadline was met, moved or given to somebody else since they were written, those ahead of a date that the
/// person knows by now, of several about one deadline and of several summaries (they gathered while nothing could be sent) all but the
/// latest, and what asks to forward or to tap a post that is in its group already or was taken back. Returns the others. The messages
/// are one recipient's.
pub(super) async fn withdraw(bot: &Bot, messages: Vec<Message>) -> Result<Vec<Message>, Fault> {
    let running = running(bot, &messages).await?;
    let theirs = theirs(bot, &messages, &running).await?;
    let posts = posts(bot, &messages).await?;
    let untapped = untapped(bot, &messages).await?;
    let still_true = |message: &Message| match Reason::of(message) {
        Some(Reason::Deadline(id)) => running.iter().any(|deadline| {
            let told = message.facts.get("due_on").and_then(|date| date.as_str());
            deadline.id.0 == id
                && deadline.due_on.map(|date| date.to_string()).as_deref() == told
                // Who is told that something is late with somebody else does not have it.
                && (message.kind == "deadline_escalated" || theirs.contains(&deadline.id))
                && (message.kind != "deadline_ahead" || deadline.acknowledged_on.is_none())
        }),
        Some(Reason::Post(post)) => {
            let told = if message.kind == "post_recalled" { PreparedState::Retracted } else { PreparedState::Prepared };
            posts.iter().any(|known| known.id.0 == post && known.state == told)
        }
        Some(Reason::Task(task)) => untapped.iter().any(|known| known.0 == task),
        None => true,
    };
    let is_latest = |message: &Message| {
        let same = |other: &&Message| series(other) == series(message);
        series(message).is_none() || messages.iter().filter(same).map(|other| other.id).max() == Some(message.id)
    };
    let stays: Vec<_> = messages.iter().map(|message| still_true(message) && is_latest(message)).collect();
    let (mut keep, mut drop) = (Vec::new(), Vec::new());
    for (message, stays) in messages.into_iter().zip(stays) {
        if stays { keep.push(message) } else { drop.push(message) }
    }
    if !drop.is_empty() {
        claim::set_state(bot, drop, MessageState::Withdrawn).await?;
    }
    Ok(keep)
}

/// What has to be as the message says, or it is pointless.
enum Reason {
    Deadline(Uuid),
    Post(Uuid),
    Task(Uuid),
}

impl Reason {
    fn of(message: &Message) -> Option<Self> {
        let deadline = of(message, "deadline_id").map(Self::Deadline);
        deadline.or_else(|| of(message, "post_id").map(Self::Post)).or_else(|| of(message, "task_id").map(Self::Task))
    }
}

fn of(message: &Message, fact: &str) -> Option<Uuid> {
    message.facts.get(fact)?.as_str()?.parse().ok()
}

/// The series of which only the latest message counts: down to a deadline and up after it, a campaign's summaries, or what asks
/// for a tap.
fn series(message: &Message) -> Option<Uuid> {
    match message.kind.as_str() {
        "deadline_ahead" | "deadline_today" | "deadline_overdue" => of(message, "deadline_id"),
        "summary" => Some(message.subject_id),
        "group_task_waiting" => of(message, "task_id"),
        _ => None,
    }
}

async fn running(bot: &Bot, messages: &[Message]) -> Result<Vec<deadlines::Model>, Fault> {
    let ids: Vec<_> = messages.iter().filter_map(|message| of(message, "deadline_id")).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(deadlines::Entity::find()
        .filter(deadlines::Column::Id.is_in(ids))
        .filter(deadlines::Column::Status.eq(DeadlineStatus::Open))
        .all(bot.store.reader())
        .await?)
}

/// Those of the deadlines that the recipient has.
async fn theirs(bot: &Bot, messages: &[Message], running: &[deadlines::Model]) -> Result<Vec<DeadlineId>, Fault> {
    let Some(recipient) = messages.first().map(|message| StaffId(message.recipient_id)) else { return Ok(Vec::new()) };
    let today = shanghai_date(bot.store.clock().now());
    let theirs = ledger::those_of(bot.store.reader(), running, recipient, today).await?;
    Ok(theirs.into_iter().map(|deadline| deadline.id).collect())
}

/// The prepared posts that the messages are about.
async fn posts(bot: &Bot, messages: &[Message]) -> Result<Vec<prepared::Model>, Fault> {
    let ids: Vec<_> = messages.iter().filter_map(|message| of(message, "post_id")).map(MessageId).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let posts = prepared::Entity::find().filter(prepared::Column::Id.is_in(ids));
    Ok(posts.all(bot.store.reader()).await?)
}

/// The same for tasks that wait for a tap.
async fn untapped(bot: &Bot, messages: &[Message]) -> Result<Vec<MessageId>, Fault> {
    let ids: Vec<_> = messages.iter().filter_map(|message| of(message, "task_id")).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let waiting = tasks::Entity::find()
        .filter(tasks::Column::Id.is_in(ids))
        .filter(tasks::Column::State.eq(TaskState::Waiting))
        .all(bot.store.reader())
        .await?;
    Ok(waiting.into_iter().map(|task| task.id).collect())
}

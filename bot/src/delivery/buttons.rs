//! What can be answered right on a card at WeCom. Only a card about one thing has buttons.

use qingfeng_core::{
    ids::{ComplaintId, DeadlineId, MessageId},
    outbox::entity::Model as Message,
};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    channels::CardButton,
    conversations::{Key, Task},
};

/// The task's name and its buttons.
pub(super) fn of(messages: &[Message]) -> Option<(String, Vec<CardButton>)> {
    let [message] = messages else { return None };
    let fact = |name: &str| message.facts.get(name).and_then(Value::as_str);
    let id = |name: &str| fact(name)?.parse::<Uuid>().ok();
    let (task, keys): (Task, &[Key]) = if let Some(post) = id("post_id") {
        (Task::Post(MessageId(post)), &[Key::Posted])
    } else if message.kind == "complaint_assigned" {
        (Task::Complaint(ComplaintId(message.subject_id)), &[Key::TakeOn, Key::NotMine])
    } else {
        let task = Task::Deadline(DeadlineId(id("deadline_id")?));
        match (message.kind.as_str(), fact("deadline_kind")) {
            ("deadline_ahead" | "deadline_today" | "deadline_overdue", Some("acceptance")) => {
                (Task::Complaint(ComplaintId(message.subject_id)), &[Key::TakeOn, Key::NotMine])
            }
            // What a campaign asks for has the plan's dates.
            ("deadline_ahead", Some("duty")) => (task, &[Key::Known, Key::NotMine]),
            ("deadline_today" | "deadline_overdue", Some("duty")) => (task, &[Key::NotMine]),
            ("deadline_ahead", _) => (task, &[Key::Known, Key::MoreTime, Key::NotMine]),
            // To know of it is not enough any more.
            ("deadline_today" | "deadline_overdue", _) => (task, &[Key::MoreTime, Key::NotMine]),
            _ => return None,
        }
    };
    let button = |key: &Key| CardButton { text: key.label().into(), key: key.as_str().into() };
    Some((task.name(message), keys.iter().map(button).collect()))
}

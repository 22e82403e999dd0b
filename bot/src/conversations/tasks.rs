//! Cards with buttons: by which name the platform tells a tap, and what each button says.

use qingfeng_core::{
    ids::{ComplaintId, DeadlineId, MessageId},
    outbox::entity::Model as Message,
};
use serde::{Deserialize, Serialize};

/// What a card with buttons is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Task {
    /// A post that waits to be put into its group.
    Post(MessageId),
    /// An item's date.
    Deadline(DeadlineId),
    /// A complaint that was handed to somebody.
    Complaint(ComplaintId),
}

/// A button.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Posted,
    TakeOn,
    Known,
    MoreTime,
    NotMine,
}

impl Key {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Posted => "posted",
            Self::TakeOn => "take_on",
            Self::Known => "known",
            Self::MoreTime => "more_time",
            Self::NotMine => "not_mine",
        }
    }

    /// At most ten characters.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Posted => "已发到群里",
            Self::TakeOn => "受理",
            Self::Known => "知道了",
            Self::MoreTime => "要延期",
            Self::NotMine => "不是我的",
        }
    }

    /// What the card says when it is done; at most ten characters.
    pub(super) fn done(self) -> &'static str {
        match self {
            Self::Posted => "已发到群里",
            Self::TakeOn => "已受理",
            Self::Known => "已知道",
            Self::MoreTime => "已申请延期",
            Self::NotMine => "已说明不是我的",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        [Self::Posted, Self::TakeOn, Self::Known, Self::MoreTime, Self::NotMine]
            .into_iter()
            .find(|key| key.as_str() == text)
    }
}

impl Task {
    /// The platform takes each name for one card: a message that is sent again has another.
    pub(crate) fn name(self, card: &Message) -> String {
        let (kind, id) = match self {
            Self::Post(id) => ("post", id.0),
            Self::Deadline(id) => ("deadline", id.0),
            Self::Complaint(id) => ("complaint", id.0),
        };
        format!("{kind}_{id}@{}_{}", card.id, card.not_before.timestamp_millis())
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        let (kind, id) = name.split('@').next()?.split_once('_')?;
        let id = id.parse().ok()?;
        Some(match kind {
            "post" => Self::Post(MessageId(id)),
            "deadline" => Self::Deadline(DeadlineId(id)),
            "complaint" => Self::Complaint(ComplaintId(id)),
            _ => return None,
        })
    }
}

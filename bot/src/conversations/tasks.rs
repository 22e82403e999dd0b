//! Cards with buttons: by which name the platform tells a tap, and what each button says.

use chrono::NaiveDate;
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

/// Platforms take a card under one name once: a message that is sent again has another.
pub(crate) fn card_name(first: &Message) -> String {
    format!("{}_{}", first.id, first.not_before.timestamp_millis())
}

impl Task {
    /// The platform takes each name for one card: a message that is sent again has another. A card about a date says which one. At
    /// most 107 of the 128 characters that the platform takes.
    pub(crate) fn name(self, card: &Message) -> String {
        let (kind, id) = match self {
            Self::Post(id) => ("post", id.0),
            Self::Deadline(id) => ("deadline", id.0),
            Self::Complaint(id) => ("complaint", id.0),
        };
        let shown = match (self, card.facts.get("due_on").and_then(|date| date.as_str())) {
            (Self::Deadline(_), Some(date)) => format!("_{date}"),
            _ => String::new(),
        };
        format!("{kind}_{id}{shown}@{}", card_name(card))
    }

    /// The date that the card of this name showed; none where it is not about one.
    pub(super) fn date_shown(name: &str) -> Option<NaiveDate> {
        name.split('@').next()?.split('_').nth(2)?.parse().ok()
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        let mut parts = name.split('@').next()?.split('_');
        let (kind, id) = (parts.next()?, parts.next()?.parse().ok()?);
        Some(match kind {
            "post" => Self::Post(MessageId(id)),
            "deadline" => Self::Deadline(DeadlineId(id)),
            "complaint" => Self::Complaint(ComplaintId(id)),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::Task;

    #[rstest]
    #[case::of_a_date("deadline_01890000-0000-7000-8000-000000000001_2026-05-06@01890000_1", Some("2026-05-06"))]
    #[case::sent_before_cards_said_it("deadline_01890000-0000-7000-8000-000000000001@01890000_1", None)]
    #[case::nonsense("deadline_01890000-0000-7000-8000-000000000001_tomorrow@01890000_1", None)]
    fn a_card_says_by_its_name_what_it_is_about_and_which_date_it_showed(
        #[case] name: &str,
        #[case] shown: Option<&str>,
    ) {
        assert!(matches!(Task::parse(name), Some(Task::Deadline(_))), "{name}");
        assert_eq!(Task::date_shown(name).map(|date| date.to_string()).as_deref(), shown);
    }
}

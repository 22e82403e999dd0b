//! Which messages leave first when many are due: behind a card to everybody on a roll nobody's deadline waits.

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, DeriveActiveEnum, EntityTrait, EnumIter, QueryFilter, QueryOrder, Select};

use super::{
    MessageState, RecipientKind,
    entity::{Column, Entity},
};

/// How soon a message leaves, the first first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "i32", db_type = "Integer")]
pub enum Priority {
    /// Somebody waits for it right now, or it is too late tomorrow.
    #[sea_orm(num_value = 0)]
    Urgent,
    /// To staff and into groups.
    #[sea_orm(num_value = 1)]
    Normal,
    /// News for one resident.
    #[sea_orm(num_value = 2)]
    Resident,
    /// The same for many residents at once.
    #[sea_orm(num_value = 3)]
    Everybody,
}

impl Priority {
    /// Follows from who gets it and what it says; the only place where it is decided.
    #[must_use]
    pub fn of(recipient: RecipientKind, kind: &str) -> Self {
        match (recipient, kind) {
            // A question in the chat is waited for by whoever tapped; a post that is recalled is about to be put into a group.
            (
                RecipientKind::Staff,
                "answer_wanted" | "deadline_today" | "deadline_overdue" | "deadline_escalated" | "post_recalled",
            )
            // Something wrong stands in the group.
            | (RecipientKind::Group, "post_corrected") => Self::Urgent,
            (RecipientKind::Staff | RecipientKind::Group, _) => Self::Normal,
            (RecipientKind::Resident, kind) if kind == "evaluation_opened" || kind.starts_with("sealed_survey_") => {
                Self::Everybody
            }
            (RecipientKind::Resident, _) => Self::Resident,
        }
    }
}

/// The messages of this priority whose time has come, in the order in which they leave. The priorities are asked one after the
/// other: what waits for its time is then never walked over (`outbox_messages_state_priority_not_before_id`).
#[must_use]
pub fn due(priority: Priority, now: DateTime<Utc>) -> Select<Entity> {
    Entity::find()
        .filter(Column::State.eq(MessageState::Pending))
        .filter(Column::Priority.eq(priority))
        .filter(Column::NotBefore.lte(now))
        .order_by_asc(Column::NotBefore)
        .order_by_asc(Column::Id)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{Priority, RecipientKind};

    #[rstest]
    #[case(RecipientKind::Staff, "answer_wanted", Priority::Urgent)]
    #[case(RecipientKind::Staff, "deadline_today", Priority::Urgent)]
    #[case(RecipientKind::Staff, "deadline_overdue", Priority::Urgent)]
    #[case(RecipientKind::Staff, "deadline_escalated", Priority::Urgent)]
    #[case(RecipientKind::Staff, "post_recalled", Priority::Urgent)]
    #[case(RecipientKind::Group, "post_corrected", Priority::Urgent)]
    #[case(RecipientKind::Staff, "deadline_ahead", Priority::Normal)]
    #[case(RecipientKind::Staff, "complaint_assigned", Priority::Normal)]
    #[case(RecipientKind::Staff, "a kind of tomorrow", Priority::Normal)]
    #[case(RecipientKind::Group, "monthly_progress", Priority::Normal)]
    // The same news goes to a group once, and to everybody on the roll.
    #[case(RecipientKind::Group, "sealed_survey_opened", Priority::Normal)]
    #[case(RecipientKind::Resident, "complaint_answered", Priority::Resident)]
    #[case(RecipientKind::Resident, "media_missing", Priority::Resident)]
    #[case(RecipientKind::Resident, "evaluation_opened", Priority::Everybody)]
    #[case(RecipientKind::Resident, "sealed_survey_opened", Priority::Everybody)]
    #[case(RecipientKind::Resident, "sealed_survey_reminder", Priority::Everybody)]
    #[case(RecipientKind::Resident, "sealed_survey_published", Priority::Everybody)]
    fn what_cannot_wait_goes_first_and_what_everybody_gets_last(
        #[case] recipient: RecipientKind,
        #[case] kind: &str,
        #[case] expected: Priority,
    ) {
        assert_eq!(Priority::of(recipient, kind), expected);
    }

    #[test]
    fn the_order_is_the_one_in_which_they_leave() {
        use Priority::{Everybody, Normal, Resident, Urgent};
        assert!(Urgent < Normal && Normal < Resident && Resident < Everybody);
    }
}

//! How long a post may wait for a person before it is put into its group: whoever has to read or to forward it is reminded after
//! one day and after three, and after a week the office sees it among what was not delivered.

use chrono::NaiveDate;

const REMINDED_AFTER: [i64; 2] = [3, 1];
const GIVEN_UP_AFTER: i64 = 7;

/// What is due of a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    /// The reminder after so many days, which comes once.
    Reminder(i64),
    GivingUp,
}

impl Due {
    /// `since` is the day from which the post waits.
    pub(super) fn of(since: NaiveDate, today: NaiveDate) -> Self {
        let days = (today - since).num_days();
        if days >= GIVEN_UP_AFTER {
            return Self::GivingUp;
        }
        REMINDED_AFTER.into_iter().find(|step| days >= *step).map_or(Self::Nothing, Self::Reminder)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("2026-03-02", Due::Nothing)]
    #[case("2026-03-03", Due::Reminder(1))]
    #[case("2026-03-04", Due::Reminder(1))]
    #[case("2026-03-05", Due::Reminder(3))]
    #[case("2026-03-08", Due::Reminder(3))]
    #[case("2026-03-09", Due::GivingUp)]
    #[case("2026-04-09", Due::GivingUp)]
    fn a_post_is_reminded_of_twice_and_given_up_after_a_week(#[case] today: NaiveDate, #[case] due: Due) {
        assert_eq!(Due::of("2026-03-02".parse().unwrap(), today), due);
    }
}

use chrono::NaiveDate;
use qingfeng_core::campaigns::plan::Reminders;

/// When somebody is reminded of a deadline, and when somebody above is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReminderPolicy {
    /// Days before the date.
    pub ahead: Vec<i64>,
    pub on_the_day: bool,
    /// Days after it.
    pub overdue: Vec<i64>,
    /// After the last of these, every so many days.
    pub then_every: i64,
    /// Days after it at which the superior is told, where no campaign's ladder says otherwise.
    pub escalate: Vec<i64>,
}

impl From<&Reminders> for ReminderPolicy {
    fn from(reminders: &Reminders) -> Self {
        Self {
            ahead: reminders.days_before.iter().map(|days| i64::from(*days)).collect(),
            on_the_day: reminders.on_the_day,
            overdue: vec![1],
            then_every: i64::from(reminders.overdue_every_days),
            escalate: Vec::new(),
        }
    }
}

impl Default for ReminderPolicy {
    fn default() -> Self {
        Self { ahead: vec![3, 1], on_the_day: true, overdue: vec![1, 3, 7], then_every: 7, escalate: vec![3, 10, 30] }
    }
}

/// One reminder of the series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Days before.
    Ahead(i64),
    Today,
    /// Days after.
    Overdue(i64),
}

impl Step {
    /// Names it in the outbox.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Ahead(days) => format!("ahead-{days}"),
            Self::Today => "today".into(),
            Self::Overdue(days) => format!("overdue-{days}"),
        }
    }
}

impl ReminderPolicy {
    /// The step that stands on this day: the latest that has come. After an outage the missed ones before it are not
    /// made up for: one card says it all.
    #[must_use]
    pub fn step(&self, due_on: NaiveDate, today: NaiveDate) -> Option<Step> {
        let left = (due_on - today).num_days();
        if left > 0 {
            // The nearest point that has been reached: 2 days left stand under the 3-day reminder.
            return self.ahead.iter().copied().filter(|days| left <= *days).min().map(Step::Ahead);
        }
        if left == 0 {
            // Where the plan wants none on the day, the nearest one ahead still stands.
            return if self.on_the_day { Some(Step::Today) } else { self.ahead.iter().copied().min().map(Step::Ahead) };
        }
        let over = -left;
        let last = self.overdue.iter().copied().max().unwrap_or(0);
        if over > last && self.then_every > 0 {
            return Some(Step::Overdue(last + (over - last) / self.then_every * self.then_every));
        }
        self.overdue.iter().copied().filter(|days| *days <= over).max().map(Step::Overdue).or(Some(Step::Today))
    }

    /// The escalation that stands on this day, in days past the date.
    #[must_use]
    pub fn escalation(&self, due_on: NaiveDate, today: NaiveDate) -> Option<i64> {
        let over = (today - due_on).num_days();
        self.escalate.iter().copied().filter(|days| *days <= over).max()
    }

    /// How far ahead of today deadlines have to be looked at, in days.
    #[must_use]
    pub fn horizon(&self) -> i64 {
        self.ahead.iter().copied().max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(-8, None)]
    #[case(-7, Some(Step::Ahead(7)))]
    #[case(-1, Some(Step::Ahead(2)))]
    #[case(0, Some(Step::Ahead(2)))]
    #[case(1, Some(Step::Overdue(1)))]
    #[case(4, Some(Step::Overdue(1)))]
    #[case(6, Some(Step::Overdue(6)))]
    #[case(11, Some(Step::Overdue(11)))]
    fn a_plan_sets_its_own_steps(#[case] days_after: i64, #[case] expected: Option<Step>) {
        let reminders =
            Reminders { days_before: vec![7, 2], on_the_day: false, overdue_every_days: 5, ..Reminders::default() };
        let due_on = NaiveDate::from_ymd_opt(2026, 3, 16).unwrap();
        let today = due_on + chrono::TimeDelta::days(days_after);
        assert_eq!(ReminderPolicy::from(&reminders).step(due_on, today), expected);
    }

    #[rstest]
    #[case(-5, None)]
    #[case(-3, Some(Step::Ahead(3)))]
    #[case(-2, Some(Step::Ahead(3)))]
    #[case(-1, Some(Step::Ahead(1)))]
    #[case(0, Some(Step::Today))]
    #[case(1, Some(Step::Overdue(1)))]
    #[case(2, Some(Step::Overdue(1)))]
    #[case(6, Some(Step::Overdue(3)))]
    #[case(7, Some(Step::Overdue(7)))]
    #[case(13, Some(Step::Overdue(7)))]
    #[case(14, Some(Step::Overdue(14)))]
    #[case(21, Some(Step::Overdue(21)))]
    fn the_latest_step_stands(#[case] days_after: i64, #[case] expected: Option<Step>) {
        let due_on = NaiveDate::from_ymd_opt(2026, 3, 16).unwrap();
        let today = due_on + chrono::TimeDelta::days(days_after);
        assert_eq!(ReminderPolicy::default().step(due_on, today), expected);
    }
}

use chrono::{Days, NaiveDate};
use qingfeng_core::{calendar::Calendar, campaigns::plan::Reminders};

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

/// A day on which people may be reminded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Today {
    pub date: NaiveDate,
    /// Offices are closed. A day in a year whose calendar is not known is a day like any other.
    pub is_rest_day: bool,
    /// The last day before offices open again: on a working day the last of the rest days that follow, or else itself.
    pub until: NaiveDate,
}

impl Today {
    #[must_use]
    pub fn on(calendar: &Calendar, date: NaiveDate) -> Self {
        let is_rest_day = calendar.is_working_day(date) == Ok(false);
        Self { date, is_rest_day, until: calendar.last_rest_day_after(date) }
    }
}

/// On a rest day the working day before it, on which everything rings that falls into the rest days.
pub(super) fn working_day_before_rest(calendar: &Calendar, day: NaiveDate) -> Option<NaiveDate> {
    if calendar.is_working_day(day) != Ok(false) {
        return None;
    }
    calendar.working_day_before(day).ok()
}

impl ReminderPolicy {
    /// The step that rings today. On a rest day nothing rings but what is due that very day: what would ring ahead of its date comes
    /// on the working day before, what is late on the one after, once for all the days between.
    #[must_use]
    pub fn rings(&self, due_on: NaiveDate, today: Today) -> Option<Step> {
        if today.is_rest_day {
            return (due_on == today.date).then(|| self.step(due_on, due_on)).flatten();
        }
        let before = due_on - Days::new(1);
        self.step(due_on, today.until.min(before).max(today.date))
    }

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
    #[case::the_first_rest_day("2026-05-01", Some("2026-04-30"))]
    #[case::late_in_the_holiday("2026-05-04", Some("2026-04-30"))]
    #[case::a_working_day_sees_for_itself("2026-05-06", None)]
    #[case::a_year_that_is_not_known("2099-05-02", None)]
    fn a_rest_day_stands_under_the_working_day_before_it(#[case] today: NaiveDate, #[case] before: Option<&str>) {
        let expected = before.map(|day| day.parse().unwrap());
        assert_eq!(working_day_before_rest(&Calendar::shipped(), today), expected);
    }

    #[rstest]
    // Wednesday before May Day; the holiday is from Friday to Tuesday, and Saturday the 9th is worked.
    #[case::three_days_ahead_falls_into_the_holiday("2026-04-29", "2026-05-06", None)]
    #[case::it_comes_on_the_last_day_before("2026-04-30", "2026-05-06", Some(Step::Ahead(1)))]
    #[case::the_day_before_is_a_rest_day("2026-05-05", "2026-05-06", None)]
    #[case::the_day_itself("2026-05-06", "2026-05-06", Some(Step::Today))]
    #[case::due_in_the_holiday_it_is_said_before("2026-04-30", "2026-05-04", Some(Step::Ahead(1)))]
    #[case::and_on_its_day("2026-05-04", "2026-05-04", Some(Step::Today))]
    #[case::late_by_a_day_in_the_holiday("2026-05-01", "2026-04-30", None)]
    #[case::late_by_a_week_it_comes_once("2026-05-06", "2026-04-29", Some(Step::Overdue(7)))]
    #[case::a_saturday_that_is_worked("2026-05-09", "2026-05-11", Some(Step::Ahead(1)))]
    #[case::a_weekend_of_a_year_without_a_notice("2031-03-01", "2031-03-02", Some(Step::Ahead(1)))]
    fn nothing_rings_on_a_rest_day_but_what_is_due_that_day(
        #[case] today: NaiveDate,
        #[case] due_on: NaiveDate,
        #[case] expected: Option<Step>,
    ) {
        let today = Today::on(&Calendar::shipped(), today);
        assert_eq!(ReminderPolicy::default().rings(due_on, today), expected);
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

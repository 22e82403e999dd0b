use chrono::{NaiveDate, Weekday};
use serde::{Deserialize, Serialize};

use super::{Calendar, UnknownYear, WorkedOut, limit::long};

/// What becomes of a fixed date on which offices rest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnRestDay {
    /// It moves to the next working day (民法典 art. 203).
    #[default]
    After,
    /// It moves to the last working day before.
    Before,
    /// It stays: a service day is held on the 1st whatever the day.
    Same,
}

/// A day fixed by the calendar, not counted from another one. Kept with a deadline so that it can be worked out again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "day", rename_all = "snake_case", deny_unknown_fields)]
pub enum DayRule {
    Date {
        date: NaiveDate,
        on_rest_day: OnRestDay,
    },
    /// The nth working day of a month; the last one when the month has fewer.
    WorkingDay {
        year: i32,
        month: u32,
        nth: u32,
    },
}

impl Calendar {
    /// The day that a rule names.
    #[must_use]
    pub fn day(&self, rule: DayRule) -> WorkedOut {
        let worked_out = match rule {
            DayRule::Date { date, on_rest_day } => self.fixed_date(date, on_rest_day),
            DayRule::WorkingDay { year, month, nth } => {
                self.nth_working_day(year, month, nth).map(|due_on| WorkedOut {
                    due_on: Some(due_on),
                    explanation: format!("{year}年{month}月第{nth}个工作日，即{}", long(due_on)),
                })
            }
        };
        worked_out.unwrap_or_else(|UnknownYear(year)| WorkedOut {
            due_on: None,
            explanation: format!("期限落在{year}年，国务院尚未公布该年放假安排，公布后自动算出日期"),
        })
    }

    fn fixed_date(&self, date: NaiveDate, on_rest_day: OnRestDay) -> Result<WorkedOut, UnknownYear> {
        let due_on = match on_rest_day {
            OnRestDay::Same => date,
            OnRestDay::After => self.working_day_from(date)?,
            OnRestDay::Before if self.is_working_day(date)? => date,
            OnRestDay::Before => self.working_day_before(date)?,
        };
        let explanation = if due_on == date {
            format!("固定在{}", long(date))
        } else {
            let moved = if due_on > date { "顺延" } else { "提前" };
            let reason = self.rest_name(date).unwrap_or("休息日");
            format!("固定在{}；该日为{reason}，{moved}至{}", long(date), long(due_on))
        };
        Ok(WorkedOut { due_on: Some(due_on), explanation })
    }
}

/// The days of this weekday in a stretch, its ends included.
pub fn weekdays_between(first: NaiveDate, last: NaiveDate, weekday: Weekday) -> impl Iterator<Item = NaiveDate> {
    use chrono::Datelike;
    first.iter_days().take_while(move |day| *day <= last).filter(move |day| day.weekday() == weekday)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[rstest]
    #[case("2026-06-20", OnRestDay::After, "2026-06-22", "固定在2026年6月20日；该日为端午节，顺延至2026年6月22日")]
    #[case("2026-06-20", OnRestDay::Before, "2026-06-18", "固定在2026年6月20日；该日为端午节，提前至2026年6月18日")]
    #[case("2026-06-20", OnRestDay::Same, "2026-06-20", "固定在2026年6月20日")]
    #[case("2026-02-28", OnRestDay::After, "2026-02-28", "固定在2026年2月28日")]
    fn a_fixed_date_gives_way_to_a_rest_day_as_its_rule_says(
        #[case] day: &str,
        #[case] on_rest_day: OnRestDay,
        #[case] due: &str,
        #[case] explanation: &str,
    ) {
        let worked_out = Calendar::shipped().day(DayRule::Date { date: date(day), on_rest_day });
        assert_eq!(worked_out, WorkedOut { due_on: Some(date(due)), explanation: explanation.into() });
    }

    #[test]
    fn the_nth_working_day_explains_itself() {
        let worked_out = Calendar::shipped().day(DayRule::WorkingDay { year: 2026, month: 10, nth: 3 });
        assert_eq!(worked_out.due_on, Some(date("2026-10-10")), "Saturday 10 October is worked in exchange");
        assert_eq!(worked_out.explanation, "2026年10月第3个工作日，即2026年10月10日");
    }

    #[test]
    fn a_day_in_an_unpublished_year_is_unknown_unless_it_stays_whatever_it_is() {
        let calendar = Calendar::shipped();
        let rule = |on_rest_day| DayRule::Date { date: date("2027-03-01"), on_rest_day };
        assert_eq!(calendar.day(rule(OnRestDay::After)).due_on, None);
        assert_eq!(calendar.day(rule(OnRestDay::Same)).due_on, Some(date("2027-03-01")));
        assert_eq!(calendar.day(DayRule::WorkingDay { year: 2027, month: 1, nth: 1 }).due_on, None);
    }
}

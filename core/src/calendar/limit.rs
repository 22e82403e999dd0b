use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Calendar, UnknownYear, next};

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LimitUnit {
    CalendarDays,
    WorkingDays,
}

/// A time limit. The opening day does not count (民法典 art. 201).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// Days, of the unit.
    pub days: u32,
    pub unit: LimitUnit,
    /// Whether a limit of calendar days that ends on a rest day ends on the next working day (民法典 art. 203).
    #[serde(default = "yes")]
    pub roll_forward: bool,
}

fn yes() -> bool {
    true
}

impl Limit {
    #[must_use]
    pub const fn calendar_days(days: u32) -> Self {
        Self { days, unit: LimitUnit::CalendarDays, roll_forward: true }
    }

    #[must_use]
    pub const fn working_days(days: u32) -> Self {
        Self { days, unit: LimitUnit::WorkingDays, roll_forward: true }
    }
}

/// A deadline as worked out, with the line that explains it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkedOut {
    /// None while the calendar of that year is unknown.
    pub due_on: Option<NaiveDate>,
    /// How the date came about, in Chinese.
    pub explanation: String,
}

impl Calendar {
    /// The last day of a limit that opens on `start`.
    #[must_use]
    pub fn due_date(&self, start: NaiveDate, limit: Limit) -> WorkedOut {
        let worked_out = match limit.unit {
            LimitUnit::CalendarDays => self.count_calendar_days(start, limit),
            LimitUnit::WorkingDays => self.count_working_days(start, limit),
        };
        worked_out.unwrap_or_else(|UnknownYear(year)| WorkedOut {
            due_on: None,
            explanation: format!(
                "自{}次日起算{}，期限进入{year}年，国务院尚未公布该年放假安排，公布后自动算出日期",
                long(start),
                amount(limit)
            ),
        })
    }

    fn count_calendar_days(&self, start: NaiveDate, limit: Limit) -> Result<WorkedOut, UnknownYear> {
        let last = start + Days::new(u64::from(limit.days));
        let opening = format!("自{}次日起算{}，至{}", long(start), amount(limit), long(last));
        if !limit.roll_forward {
            return Ok(WorkedOut { due_on: Some(last), explanation: opening });
        }
        let due_on = self.working_day_from(last)?;
        let explanation = if due_on == last {
            opening
        } else {
            format!("{opening}；该日为{}，顺延至{}", self.rest_name(last).unwrap_or("休息日"), long(due_on))
        };
        Ok(WorkedOut { due_on: Some(due_on), explanation })
    }

    fn count_working_days(&self, start: NaiveDate, limit: Limit) -> Result<WorkedOut, UnknownYear> {
        let mut due_on = start;
        let mut holidays: Vec<Span> = Vec::new();
        let mut worked_weekends = Vec::new();
        let mut counted = 0;
        while counted < limit.days {
            due_on = next(due_on);
            if self.is_working_day(due_on)? {
                counted += 1;
                if self.days.contains_key(&due_on) {
                    worked_weekends.push(short(due_on));
                }
            } else if let Some(day) = self.days.get(&due_on) {
                match holidays.last_mut() {
                    Some(span) if span.name == day.name && next(span.last) == due_on => span.last = due_on,
                    _ => holidays.push(Span { name: day.name.clone(), first: due_on, last: due_on }),
                }
            }
        }
        let mut explanation = format!("自{}次日起算{}", long(start), amount(limit));
        if !holidays.is_empty() {
            let spans: Vec<String> = holidays.iter().map(Span::describe).collect();
            explanation += &format!("，跳过周末和{}", spans.join("、"));
        }
        if !worked_weekends.is_empty() {
            explanation += &format!("，{}调休上班计入", worked_weekends.join("、"));
        }
        explanation += &format!("，至{}", long(due_on));
        Ok(WorkedOut { due_on: Some(due_on), explanation })
    }
}

/// Days off in a row, of one holiday.
struct Span {
    name: String,
    first: NaiveDate,
    last: NaiveDate,
}

impl Span {
    fn describe(&self) -> String {
        if self.first == self.last {
            format!("{}（{}）", self.name, short(self.first))
        } else {
            format!("{}（{}至{}）", self.name, short(self.first), short(self.last))
        }
    }
}

fn amount(limit: Limit) -> String {
    match limit.unit {
        LimitUnit::CalendarDays => format!("{}日", limit.days),
        LimitUnit::WorkingDays => format!("{}个工作日", limit.days),
    }
}

pub(super) fn long(date: NaiveDate) -> String {
    date.format("%Y年%-m月%-d日").to_string()
}

fn short(date: NaiveDate) -> String {
    date.format("%-m月%-d日").to_string()
}

#[cfg(test)]
mod tests {
    use chrono::Datelike;
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[rstest]
    #[case("2026-02-12", 5, "2026-02-26")]
    #[case("2026-02-12", 15, "2026-03-11")]
    #[case("2026-09-18", 5, "2026-09-24")]
    #[case("2026-09-29", 5, "2026-10-12")]
    #[case("2026-04-30", 2, "2026-05-07")]
    #[case("2024-09-13", 1, "2024-09-14")]
    #[case("2025-01-26", 2, "2025-02-05")]
    fn working_days_are_counted_by_the_state_councils_notice(
        #[case] start: &str,
        #[case] days: u32,
        #[case] due: &str,
    ) {
        let worked_out = Calendar::shipped().due_date(date(start), Limit::working_days(days));
        assert_eq!(worked_out.due_on, Some(date(due)), "{}", worked_out.explanation);
    }

    #[test]
    fn the_explanation_names_holidays_and_worked_weekends() {
        let worked_out = Calendar::shipped().due_date(date("2026-02-12"), Limit::working_days(5));
        assert_eq!(
            worked_out.explanation,
            "自2026年2月12日次日起算5个工作日，跳过周末和春节（2月15日至2月23日），2月14日调休上班计入，至2026年2月26日"
        );
    }

    #[test]
    fn calendar_days_that_end_on_a_rest_day_end_on_the_next_working_day() {
        let calendar = Calendar::shipped();
        let worked_out = calendar.due_date(date("2026-09-17"), Limit::calendar_days(15));
        assert_eq!(worked_out.due_on, Some(date("2026-10-08")));
        assert_eq!(
            worked_out.explanation,
            "自2026年9月17日次日起算15日，至2026年10月2日；该日为国庆节，顺延至2026年10月8日"
        );
        let strict = Limit { roll_forward: false, ..Limit::calendar_days(15) };
        assert_eq!(calendar.due_date(date("2026-09-17"), strict).due_on, Some(date("2026-10-02")));
    }

    #[rstest]
    #[case(Limit::working_days(5), "2026-12-29")]
    #[case(Limit::calendar_days(60), "2026-12-01")]
    fn a_limit_that_runs_into_an_unpublished_year_has_no_date(#[case] limit: Limit, #[case] start: &str) {
        let worked_out = Calendar::shipped().due_date(date(start), limit);
        assert_eq!(worked_out.due_on, None);
        assert!(worked_out.explanation.contains("2027年"), "{}", worked_out.explanation);
    }

    #[rstest]
    #[case(2024, 251)]
    #[case(2025, 248)]
    #[case(2026, 248)]
    fn the_shipped_years_have_their_number_of_working_days(#[case] year: i32, #[case] expected: usize) {
        let calendar = Calendar::shipped();
        let first = NaiveDate::from_ymd_opt(year, 1, 1).unwrap();
        let working = first
            .iter_days()
            .take_while(|day| day.year() == year)
            .filter(|day| calendar.is_working_day(*day).unwrap())
            .count();
        assert_eq!(working, expected);
    }

    #[test]
    fn the_nth_working_day_of_a_month_is_found_around_holidays() {
        let calendar = Calendar::shipped();
        assert_eq!(calendar.nth_working_day(2026, 10, 1).unwrap(), date("2026-10-08"));
        assert_eq!(calendar.nth_working_day(2026, 2, 40).unwrap(), date("2026-02-28"));
        assert_eq!(calendar.working_day_before(date("2026-10-08")).unwrap(), date("2026-09-30"));
    }

    proptest! {
        #[test]
        fn a_due_date_is_a_working_day_and_never_moves_back_as_the_limit_grows(offset in 0_u64..900, days in 1_u32..60) {
            let calendar = Calendar::shipped();
            let start = date("2024-01-01") + Days::new(offset);
            for limit in [Limit::working_days(days), Limit::calendar_days(days)] {
                if let Some(due) = calendar.due_date(start, limit).due_on {
                    prop_assert!(calendar.is_working_day(due).unwrap());
                    let longer = calendar.due_date(start, Limit { days: days + 1, ..limit }).due_on;
                    prop_assert!(longer.is_none_or(|longer| longer >= due));
                }
            }
        }

        #[test]
        fn between_start_and_due_date_lie_just_as_many_working_days(offset in 0_u64..900, days in 1_u32..60) {
            let calendar = Calendar::shipped();
            let start = date("2024-01-01") + Days::new(offset);
            if let Some(due) = calendar.due_date(start, Limit::working_days(days)).due_on {
                let counted = next(start).iter_days().take_while(|day| *day <= due)
                    .filter(|day| calendar.is_working_day(*day).unwrap()).count();
                prop_assert_eq!(counted, days as usize);
            }
        }
    }
}

//! When a duty is due: from a rhythm to the days of a stretch of time.

use chrono::{Datelike, Days, Months, NaiveDate, NaiveTime, Weekday};

use super::plan::{HalfYear, MonthDay, OnRestDay, Quarter, Rhythm, WeekDay};
use crate::{
    calendar::{CronTimes, DayRule, weekdays_between},
    clock::shanghai_instant,
};

/// One time that a duty is due, before the calendar had its say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Which one of the series, unique in it: `2026-05`, `2026-Q2`, `2026-W20`.
    pub period: String,
    /// As people say it: 2026年5月.
    pub label: String,
    /// First day of the period.
    pub opens_on: NaiveDate,
    pub rule: DayRule,
}

impl Rhythm {
    /// The times that fall due within a stretch, ends included, by their day before rest days are looked at. Cases and
    /// standing duties have none.
    #[must_use]
    pub fn due_between(&self, first: NaiveDate, last: NaiveDate) -> Vec<Due> {
        let mut dues = match self {
            Self::Once { due_on, on_rest_day } => vec![Due {
                period: "once".into(),
                label: String::new(),
                opens_on: first.min(*due_on),
                rule: DayRule::Date { date: *due_on, on_rest_day: *on_rest_day },
            }],
            Self::Week { weekday, on_rest_day } => {
                weekdays_between(first, last, weekday.day()).map(|day| week(day, *on_rest_day)).collect()
            }
            Self::HalfMonth { on_rest_day } => {
                months(first, last).flat_map(|month| half_months(month, *on_rest_day)).collect()
            }
            Self::Month { on } => months(first, last).map(|month| monthly(month, *on)).collect(),
            Self::Quarter { month, on } => in_months(first, last, 3, month.position(), |start, due| Due {
                period: format!("{}-Q{}", start.year(), start.quarter()),
                label: format!("{}年第{}季度", start.year(), start.quarter()),
                opens_on: start,
                rule: on.rule(due),
            }),
            Self::HalfYear { month, on } => in_months(first, last, 6, month.position(), |start, due| {
                let (half, name) = if start.month() < 7 { (1, "上") } else { (2, "下") };
                Due {
                    period: format!("{}-H{half}", start.year()),
                    label: format!("{}年{name}半年", start.year()),
                    opens_on: start,
                    rule: on.rule(due),
                }
            }),
            Self::Year { month, on } => in_months(first, last, 12, month.saturating_sub(1), |start, due| Due {
                period: start.year().to_string(),
                label: format!("{}年度", start.year()),
                opens_on: start,
                rule: on.rule(due),
            }),
            Self::Cron { expression } => {
                // Checked when the plan was read; an expression that names no day gives none.
                CronTimes::parse(expression).map(|times| cron_days(&times, first, last)).unwrap_or_default()
            }
            Self::Case { .. } | Self::Standing => Vec::new(),
        };
        dues.retain(|due| (first..=last).contains(&due.nominal_day()));
        dues
    }
}

impl Due {
    /// The day by which it is sorted into a stretch of time; for working days their place as if no day were off.
    fn nominal_day(&self) -> NaiveDate {
        match self.rule {
            DayRule::Date { date, .. } => date,
            DayRule::WorkingDay { year, month, nth } => {
                let first = NaiveDate::from_ymd_opt(year, month, 1).unwrap_or(self.opens_on);
                let weekdays = first
                    .iter_days()
                    .take_while(|day| day.month() == month)
                    .filter(|day| !matches!(day.weekday(), Weekday::Sat | Weekday::Sun));
                weekdays.take(nth.max(1) as usize).last().unwrap_or(first)
            }
        }
    }
}

impl MonthDay {
    /// The day in the month that begins on `month`.
    fn rule(self, month: NaiveDate) -> DayRule {
        match self.working_day {
            Some(nth) => DayRule::WorkingDay { year: month.year(), month: month.month(), nth },
            None => {
                let last = last_of(month);
                let date = month.with_day(self.day.unwrap_or(31)).unwrap_or(last);
                DayRule::Date { date, on_rest_day: self.on_rest_day }
            }
        }
    }
}

fn week(day: NaiveDate, on_rest_day: OnRestDay) -> Due {
    let week = day.iso_week();
    Due {
        period: format!("{}-W{:02}", week.year(), week.week()),
        label: format!("{}年第{}周", week.year(), week.week()),
        opens_on: day - Days::new(u64::from(day.weekday().num_days_from_monday())),
        rule: DayRule::Date { date: day, on_rest_day },
    }
}

fn half_months(month: NaiveDate, on_rest_day: OnRestDay) -> [Due; 2] {
    let middle = month + Days::new(14);
    let half = |number: u32, name: &str, opens_on, date| Due {
        period: format!("{}-{number}", month.format("%Y-%m")),
        label: format!("{}{name}半月", month.format("%Y年%-m月")),
        opens_on,
        rule: DayRule::Date { date, on_rest_day },
    };
    [half(1, "上", month, middle), half(2, "下", middle + Days::new(1), last_of(month))]
}

fn monthly(month: NaiveDate, on: MonthDay) -> Due {
    Due {
        period: month.format("%Y-%m").to_string(),
        label: month.format("%Y年%-m月").to_string(),
        opens_on: month,
        rule: on.rule(month),
    }
}

/// Every period of so many months that touches the stretch: its first month, and its due month.
fn in_months(
    first: NaiveDate,
    last: NaiveDate,
    length: u32,
    position: u32,
    due: impl Fn(NaiveDate, NaiveDate) -> Due,
) -> Vec<Due> {
    let first_period = first_of(first).with_month(first.month0() / length * length + 1).unwrap_or(first);
    let starts = months(first_period, last).step_by(length as usize);
    starts.map(|start| due(start, start + Months::new(position))).collect()
}

/// The first days of the months that the stretch touches.
fn months(first: NaiveDate, last: NaiveDate) -> impl Iterator<Item = NaiveDate> {
    std::iter::successors(Some(first_of(first)), |month| Some(*month + Months::new(1)))
        .take_while(move |month| *month <= last)
}

fn first_of(date: NaiveDate) -> NaiveDate {
    date.with_day(1).unwrap_or(date)
}

fn last_of(month: NaiveDate) -> NaiveDate {
    first_of(month) + Months::new(1) - Days::new(1)
}

/// The days that a cron expression names.
fn cron_days(times: &CronTimes, first: NaiveDate, last: NaiveDate) -> Vec<Due> {
    let midnight = |date| shanghai_instant(date, NaiveTime::MIN);
    let (start, end) = (midnight(first) - chrono::TimeDelta::seconds(1), midnight(last + Days::new(1)));
    let mut days: Vec<NaiveDate> =
        times.after(start).take_while(|instant| *instant < end).map(|instant| instant.date_naive()).collect();
    days.dedup();
    let due = |date: NaiveDate| Due {
        period: date.to_string(),
        label: date.format("%Y年%-m月%-d日").to_string(),
        opens_on: date,
        rule: DayRule::Date { date, on_rest_day: OnRestDay::Same },
    };
    days.into_iter().map(due).collect()
}

impl WeekDay {
    fn day(self) -> Weekday {
        match self {
            Self::Monday => Weekday::Mon,
            Self::Tuesday => Weekday::Tue,
            Self::Wednesday => Weekday::Wed,
            Self::Thursday => Weekday::Thu,
            Self::Friday => Weekday::Fri,
            Self::Saturday => Weekday::Sat,
            Self::Sunday => Weekday::Sun,
        }
    }
}

impl Quarter {
    fn position(self) -> u32 {
        match self {
            Self::First => 0,
            Self::Second => 1,
            Self::Third => 2,
        }
    }
}

impl HalfYear {
    fn position(self) -> u32 {
        match self {
            Self::First => 0,
            Self::Second => 1,
            Self::Third => 2,
            Self::Fourth => 3,
            Self::Fifth => 4,
            Self::Sixth => 5,
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::{calendar::Calendar, campaigns::plan::Rhythm};

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn rhythm(toml: &str) -> Rhythm {
        #[derive(serde::Deserialize)]
        struct Line {
            rhythm: Rhythm,
        }
        toml::from_str::<Line>(&format!("rhythm = {toml}")).unwrap().rhythm
    }

    #[rstest]
    #[case::weekly(
        "{ every = 'week', weekday = 'friday', on_rest_day = 'before' }",
        "2026-W39 2026-W40 2026-W41",
        "2026-09-24 2026-09-30 2026-10-09"
    )]
    #[case::half_monthly("{ every = 'half_month' }", "2026-09-2 2026-10-1", "2026-09-30 2026-10-15")]
    #[case::monthly("{ every = 'month', on = { day = 25 } }", "2026-09", "2026-09-28")]
    #[case::month_end("{ every = 'month', on = { day = 31, on_rest_day = 'same' } }", "2026-09", "2026-09-30")]
    #[case::working_day("{ every = 'month', on = { working_day = 3 } }", "2026-10", "2026-10-10")]
    #[case::quarterly("{ every = 'quarter', month = 'third', on = { day = 22 } }", "2026-Q3", "2026-09-22")]
    #[case::half_yearly(
        "{ every = 'half_year', month = 'third', on = { day = 26, on_rest_day = 'before' } }",
        "2026-H2",
        "2026-09-24"
    )]
    #[case::yearly("{ every = 'year', month = 10, on = { day = 15 } }", "2026", "2026-10-15")]
    #[case::once("{ every = 'once', due_on = '2026-10-01' }", "once", "2026-10-08")]
    #[case::cron(
        "{ every = 'cron', expression = '0 9,15 * * MON' }",
        "2026-09-21 2026-09-28 2026-10-05 2026-10-12",
        "2026-09-21 2026-09-28 2026-10-05 2026-10-12"
    )]
    #[case::case("{ every = 'case', limit = { days = 5, unit = 'working_days' } }", "", "")]
    fn a_rhythm_names_its_periods_and_days(#[case] toml: &str, #[case] periods: &str, #[case] days: &str) {
        // The stretch has the Mid-Autumn and National Day holidays in it.
        let (first, last) = (date("2026-09-21"), date("2026-10-15"));
        let (first, last) = if toml.contains("week'") { (first, date("2026-10-10")) } else { (first, last) };
        let dues = rhythm(toml).due_between(first, last);
        let calendar = Calendar::shipped();
        let found: Vec<&str> = dues.iter().map(|due| due.period.as_str()).collect();
        assert_eq!(found.join(" "), periods);
        let found: Vec<String> = dues.iter().map(|due| calendar.day(due.rule).due_on.unwrap().to_string()).collect();
        assert_eq!(found.join(" "), days);
    }

    #[rstest]
    #[case("{ every = 'week', weekday = 'monday' }", 52)]
    #[case("{ every = 'half_month' }", 24)]
    #[case("{ every = 'month', on = { day = 30 } }", 12)]
    #[case("{ every = 'month', on = { working_day = 22 } }", 12)]
    #[case("{ every = 'quarter', month = 'first', on = { day = 1 } }", 4)]
    #[case("{ every = 'half_year', month = 'sixth', on = { day = 30 } }", 2)]
    #[case("{ every = 'year', month = 2, on = { day = 29 } }", 1)]
    fn a_year_has_each_period_once_however_it_is_cut(#[case] toml: &str, #[case] times: usize) {
        let rhythm = rhythm(toml);
        let (first, last) = (date("2026-01-01"), date("2026-12-31"));
        let whole = rhythm.due_between(first, last);
        assert_eq!(whole.len(), times);
        for step in [1, 7, 45] {
            let mut pieces = Vec::new();
            let mut day = first;
            while day <= last {
                let end = (day + Days::new(step - 1)).min(last);
                pieces.extend(rhythm.due_between(day, end));
                day = end + Days::new(1);
            }
            assert_eq!(pieces, whole, "cut every {step} days");
        }
    }

    #[test]
    fn the_last_day_of_february_is_found_in_every_year() {
        let monthly = rhythm("{ every = 'month', on = { day = 31, on_rest_day = 'same' } }");
        let dues = monthly.due_between(date("2028-02-01"), date("2028-02-29"));
        assert_eq!(dues[0].rule, DayRule::Date { date: date("2028-02-29"), on_rest_day: OnRestDay::Same });
    }
}

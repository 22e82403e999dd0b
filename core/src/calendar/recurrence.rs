//! When something is done again and again: by a cron expression, or by a rule of the working-day calendar.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveTime, Utc};

use super::{Calendar, CronTimes, OnRestDay, UnknownYear, next};
use crate::clock::{shanghai_date, shanghai_instant};

/// Longer than any rule goes without a day: every month has one, and the longest holiday moves it by less than a month.
const LONGEST_GAP_DAYS: usize = 70;
/// Longer than any holiday: nothing moves further.
const LONGEST_REST_DAYS: i64 = 14;

/// Which days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunDays {
    EveryWorkingDay,
    /// The nth working day of a week, which begins on Monday; from its end where negative. A week that has fewer has its last
    /// one (counted from the end: its first), and one without working days has none.
    WorkingDayOfWeek(i32),
    /// The same of a month.
    WorkingDayOfMonth(i32),
    /// A day of the month; of a shorter month the last.
    DayOfMonth {
        day: u32,
        on_rest_day: OnRestDay,
    },
}

/// Days and a time, Beijing time whatever the server's zone is.
#[derive(Clone, Debug)]
pub enum Recurrence {
    Cron(Box<CronTimes>),
    On { days: RunDays, at: NaiveTime },
}

impl Recurrence {
    /// The last time at or before an instant. However many were missed, this one stands for them all.
    ///
    /// # Errors
    /// When it depends on a year whose notice is not known: a day is never guessed.
    pub fn last(&self, calendar: &Calendar, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, UnknownYear> {
        let (days, at) = match self {
            Self::Cron(times) => return Ok(times.last(now)),
            Self::On { days, at } => (days, *at),
        };
        let today = shanghai_date(now);
        let past = std::iter::successors(Some(today), |day| day.pred_opt()).take(LONGEST_GAP_DAYS);
        for day in past {
            let time = shanghai_instant(day, at);
            if time <= now && days.include(calendar, day)? {
                return Ok(Some(time));
            }
        }
        Ok(None)
    }

    /// The first time after an instant.
    ///
    /// # Errors
    /// When it depends on a year whose notice is not known.
    pub fn next(&self, calendar: &Calendar, after: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, UnknownYear> {
        let (days, at) = match self {
            Self::Cron(times) => return Ok(times.after(after).next().map(|time| time.with_timezone(&Utc))),
            Self::On { days, at } => (days, *at),
        };
        for day in shanghai_date(after).iter_days().take(LONGEST_GAP_DAYS) {
            let time = shanghai_instant(day, at);
            if time > after && days.include(calendar, day)? {
                return Ok(Some(time));
            }
        }
        Ok(None)
    }
}

impl RunDays {
    /// Whether it is one of these days.
    fn include(self, calendar: &Calendar, date: NaiveDate) -> Result<bool, UnknownYear> {
        match self {
            Self::EveryWorkingDay => calendar.is_working_day(date),
            Self::WorkingDayOfWeek(nth) => {
                let monday = date - Days::new(date.weekday().num_days_from_monday().into());
                is_nth(calendar, date, (monday, monday + Days::new(6)), nth)
            }
            Self::WorkingDayOfMonth(nth) => is_nth(calendar, date, (first_of(date), last_of(date)), nth),
            Self::DayOfMonth { day, on_rest_day } => is_day_of_month(calendar, date, day, on_rest_day),
        }
    }
}

/// Whether a date is the nth working day of a stretch. Only the days that decide are looked at, so that the last week of a known
/// year is known as far as it can be.
fn is_nth(
    calendar: &Calendar,
    date: NaiveDate,
    (first, last): (NaiveDate, NaiveDate),
    nth: i32,
) -> Result<bool, UnknownYear> {
    if !calendar.is_working_day(date)? {
        return Ok(false);
    }
    let working_days = |from: NaiveDate, to: NaiveDate| -> Result<u32, UnknownYear> {
        let mut count = 0;
        for day in from.iter_days().take_while(|day| *day <= to) {
            count += u32::from(calendar.is_working_day(day)?);
        }
        Ok(count)
    };
    let (yesterday, tomorrow) = (date - Days::new(1), next(date));
    let (counted_from, rest) =
        if nth > 0 { ((first, yesterday), (tomorrow, last)) } else { ((tomorrow, last), (first, yesterday)) };
    let position = working_days(counted_from.0, counted_from.1)? + 1;
    if position < nth.unsigned_abs() {
        return Ok(working_days(rest.0, rest.1)? == 0);
    }
    Ok(position == nth.unsigned_abs())
}

/// Whether this day of the month falls on a date, moved or not.
fn is_day_of_month(
    calendar: &Calendar,
    date: NaiveDate,
    day: u32,
    on_rest_day: OnRestDay,
) -> Result<bool, UnknownYear> {
    let month = first_of(date);
    for month in [month - Months::new(1), month, month + Months::new(1)] {
        let nominal = month.with_day(day).unwrap_or(last_of(month));
        if (nominal - date).num_days().abs() > LONGEST_REST_DAYS {
            continue;
        }
        // The days from which it moved here.
        let moved = match on_rest_day {
            OnRestDay::Same if nominal == date => return Ok(true),
            OnRestDay::After if nominal <= date => (nominal, date - Days::new(1)),
            OnRestDay::Before if nominal >= date => (next(date), nominal),
            _ => continue,
        };
        if calendar.is_working_day(date)? && all_rest(calendar, moved, date)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether all days of a stretch are rest days; looked at from the day on that is next to it.
fn all_rest(calendar: &Calendar, (first, last): (NaiveDate, NaiveDate), near: NaiveDate) -> Result<bool, UnknownYear> {
    let mut days: Vec<NaiveDate> = first.iter_days().take_while(|day| *day <= last).collect();
    if near > last {
        days.reverse();
    }
    for day in days {
        if calendar.is_working_day(day)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn first_of(date: NaiveDate) -> NaiveDate {
    date.with_day(1).unwrap_or(date)
}

fn last_of(date: NaiveDate) -> NaiveDate {
    first_of(date) + Months::new(1) - Days::new(1)
}

#[cfg(test)]
mod tests {
    use chrono::{TimeDelta, Timelike as _};
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;
    use crate::clock::shanghai;

    fn instant(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_str(&format!("{text} +0800"), "%Y-%m-%d %H:%M %z").unwrap().to_utc()
    }

    fn shown(time: Option<DateTime<Utc>>) -> String {
        time.map(|time| time.with_timezone(&shanghai()).format("%Y-%m-%d %H:%M").to_string()).unwrap_or_default()
    }

    fn at_half_past_eight(days: RunDays) -> Recurrence {
        Recurrence::On { days, at: NaiveTime::from_hms_opt(8, 30, 0).unwrap() }
    }

    fn day_of_month(day: u32, on_rest_day: OnRestDay) -> RunDays {
        RunDays::DayOfMonth { day, on_rest_day }
    }

    // National Day is off from 1 to 7 October 2026, Saturday 10 October is worked in exchange.
    #[rstest]
    #[case::friday(RunDays::EveryWorkingDay, "2026-03-07 12:00", "2026-03-06 08:30", "2026-03-09 08:30")]
    #[case::the_minute_itself(RunDays::EveryWorkingDay, "2026-03-06 08:30", "2026-03-06 08:30", "2026-03-09 08:30")]
    #[case::a_minute_before(RunDays::EveryWorkingDay, "2026-03-06 08:29", "2026-03-05 08:30", "2026-03-06 08:30")]
    #[case::after_the_holiday(RunDays::WorkingDayOfWeek(1), "2026-10-09 09:00", "2026-10-08 08:30", "2026-10-12 08:30")]
    #[case::worked_saturday(RunDays::WorkingDayOfWeek(-1), "2026-10-11 09:00", "2026-10-10 08:30", "2026-10-16 08:30")]
    #[case::sixth_of_five(RunDays::WorkingDayOfWeek(6), "2026-03-07 09:00", "2026-03-06 08:30", "2026-03-13 08:30")]
    #[case::first_of_month(RunDays::WorkingDayOfMonth(1), "2026-10-20 09:00", "2026-10-08 08:30", "2026-11-02 08:30")]
    #[case::last_of_month(RunDays::WorkingDayOfMonth(-1), "2026-06-15 09:00", "2026-05-29 08:30", "2026-06-30 08:30")]
    #[case::more_than_there_are(
        RunDays::WorkingDayOfMonth(23),
        "2026-03-15 09:00",
        "2026-02-28 08:30",
        "2026-03-31 08:30"
    )]
    #[case::before(day_of_month(20, OnRestDay::Before), "2026-06-20 09:00", "2026-06-18 08:30", "2026-07-20 08:30")]
    #[case::after(day_of_month(20, OnRestDay::After), "2026-06-20 09:00", "2026-05-20 08:30", "2026-06-22 08:30")]
    #[case::same(day_of_month(20, OnRestDay::Same), "2026-06-20 09:00", "2026-06-20 08:30", "2026-07-20 08:30")]
    #[case::over_the_month(
        day_of_month(1, OnRestDay::Before),
        "2026-02-01 09:00",
        "2026-01-30 08:30",
        "2026-02-28 08:30"
    )]
    #[case::shorter_month(
        day_of_month(31, OnRestDay::Same),
        "2026-03-05 09:00",
        "2026-02-28 08:30",
        "2026-03-31 08:30"
    )]
    fn a_rule_has_its_days(#[case] days: RunDays, #[case] now: &str, #[case] last: &str, #[case] coming: &str) {
        let (calendar, rule) = (Calendar::shipped(), at_half_past_eight(days));
        assert_eq!(shown(rule.last(&calendar, instant(now)).unwrap()), last);
        assert_eq!(shown(rule.next(&calendar, instant(now)).unwrap()), coming);
    }

    #[rstest]
    #[case("30 9 * * MON-FRI", "2026-03-07 12:00", "2026-03-06 09:30", "2026-03-09 09:30")]
    #[case("0 9 1,15 * *", "2026-03-15 09:00", "2026-03-15 09:00", "2026-04-01 09:00")]
    #[case("0 9 1,15 * *", "2026-03-15 08:59", "2026-03-01 09:00", "2026-03-15 09:00")]
    #[case("5 8-20/4 * * *", "2026-12-31 23:00", "2026-12-31 20:05", "2027-01-01 08:05")]
    fn cron_counts_in_beijing_time(
        #[case] expression: &str,
        #[case] now: &str,
        #[case] last: &str,
        #[case] coming: &str,
    ) {
        let (calendar, rule) = (Calendar::shipped(), Recurrence::Cron(Box::new(CronTimes::parse(expression).unwrap())));
        assert_eq!(shown(rule.last(&calendar, instant(now)).unwrap()), last);
        assert_eq!(shown(rule.next(&calendar, instant(now)).unwrap()), coming);
    }

    #[rstest]
    #[case(RunDays::EveryWorkingDay, "2026-12-31 12:00")]
    #[case(RunDays::WorkingDayOfMonth(-1), "2026-12-31 12:00")]
    #[case(day_of_month(1, OnRestDay::After), "2026-12-31 12:00")]
    #[case(day_of_month(15, OnRestDay::Before), "2027-01-12 12:00")]
    fn no_day_is_guessed_in_a_year_that_is_not_published(#[case] days: RunDays, #[case] now: &str) {
        let (calendar, rule) = (Calendar::shipped(), at_half_past_eight(days));
        assert_eq!(rule.next(&calendar, instant(now)), Err(UnknownYear(2027)));
    }

    #[test]
    fn the_last_days_of_a_known_year_are_known_and_a_fixed_day_needs_no_calendar() {
        let calendar = Calendar::shipped();
        let last = |days| shown(at_half_past_eight(days).last(&calendar, instant("2026-12-31 12:00")).unwrap());
        assert_eq!(last(RunDays::WorkingDayOfWeek(1)), "2026-12-28 08:30");
        assert_eq!(last(RunDays::WorkingDayOfMonth(-1)), "2026-12-31 08:30");
        assert_eq!(last(day_of_month(15, OnRestDay::Before)), "2026-12-15 08:30");
        let fixed = at_half_past_eight(day_of_month(5, OnRestDay::Same));
        assert_eq!(shown(fixed.next(&calendar, instant("2027-01-01 12:00")).unwrap()), "2027-01-05 08:30");
    }

    fn any_days() -> impl Strategy<Value = RunDays> {
        let nth = |most: i32| (1..=most, any::<bool>()).prop_map(|(nth, back)| if back { -nth } else { nth });
        prop_oneof![
            Just(RunDays::EveryWorkingDay),
            nth(7).prop_map(RunDays::WorkingDayOfWeek),
            nth(23).prop_map(RunDays::WorkingDayOfMonth),
            (1_u32..=31, any::<bool>())
                .prop_map(|(day, before)| day_of_month(day, if before { OnRestDay::Before } else { OnRestDay::After })),
        ]
    }

    proptest! {
        #[test]
        fn runs_are_on_working_days_at_their_time_and_in_order(days in any_days(), minutes in 0_i64..60 * 24 * 800) {
            let (calendar, rule) = (Calendar::shipped(), at_half_past_eight(days));
            let now = instant("2024-04-01 00:00") + TimeDelta::minutes(minutes);
            let (last, coming) = (rule.last(&calendar, now).unwrap().unwrap(), rule.next(&calendar, now).unwrap().unwrap());
            for time in [last, coming] {
                let local = time.with_timezone(&shanghai());
                prop_assert!(calendar.is_working_day(local.date_naive()).unwrap());
                prop_assert_eq!((local.hour(), local.minute()), (8, 30));
            }
            prop_assert!(last <= now && now < coming);
            // Nothing lies between them, and each is found from itself.
            prop_assert_eq!(rule.next(&calendar, last).unwrap(), Some(coming));
            prop_assert_eq!(rule.last(&calendar, coming).unwrap(), Some(coming));
            prop_assert_eq!(rule.last(&calendar, coming - TimeDelta::milliseconds(1)).unwrap(), Some(last));
        }

        #[test]
        fn the_last_time_never_goes_back(days in any_days(), minutes in 0_i64..60 * 24 * 800, later in 0_i64..60 * 24 * 60) {
            let (calendar, rule) = (Calendar::shipped(), at_half_past_eight(days));
            let now = instant("2024-04-01 00:00") + TimeDelta::minutes(minutes);
            let after = rule.last(&calendar, now + TimeDelta::minutes(later)).unwrap();
            prop_assert!(rule.last(&calendar, now).unwrap() <= after);
        }

        #[test]
        fn each_month_has_its_nth_working_day_once(nth in 1_i32..=23, month in 0_u32..24, back in any::<bool>()) {
            let calendar = Calendar::shipped();
            let month = NaiveDate::from_ymd_opt(2024, 2, 1).unwrap() + Months::new(month);
            let rule = at_half_past_eight(RunDays::WorkingDayOfMonth(if back { -nth } else { nth }));
            let mut now = shanghai_instant(month, NaiveTime::MIN) - TimeDelta::milliseconds(1);
            let end = shanghai_instant(next(last_of(month)), NaiveTime::MIN);
            let mut runs = 0;
            while let Some(time) = rule.next(&calendar, now).unwrap().filter(|time| *time < end) {
                (now, runs) = (time, runs + 1);
            }
            prop_assert_eq!(runs, 1);
        }
    }
}

//! The Chinese working-day calendar: weekends, the State Council's days off and the weekends worked in exchange (调休).
//!
//! The data is a file per year, version by version. A year without data is unknown — never "weekends only": a deadline
//! that runs into it has no date until the notice is published (usually in November before).

mod cron_times;
mod day_rule;
mod limit;
mod notice;
mod recurrence;
mod service;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, Days, NaiveDate, Weekday};

pub use cron_times::{CronFault, CronTimes};
pub use day_rule::{DayRule, OnRestDay, weekdays_between};
pub use limit::{Limit, LimitUnit, WorkedOut};
pub use notice::{NoticeDay, NoticeFault, YearNotice};
pub use recurrence::{Recurrence, RunDays};
pub use service::{CalendarBook, ImportOutcome, import_year};

/// What is known of working days.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calendar {
    /// Years whose notice is known. The days of a notice may reach into the December before.
    years: BTreeSet<i32>,
    days: BTreeMap<NaiveDate, SpecialDay>,
}

/// A day that the notice moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecialDay {
    /// Name of the holiday it belongs to, e.g. 春节.
    pub name: String,
    /// Off, or worked in exchange.
    pub is_off: bool,
}

/// The notice of this year is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the working days of {0} are not published yet")]
pub struct UnknownYear(pub i32);

impl Calendar {
    /// The years that ship with the product.
    ///
    /// # Panics
    /// Never: the data is checked by a test.
    #[must_use]
    pub fn shipped() -> Self {
        Self::from_notices(&Self::shipped_notices())
    }

    /// The notices that ship with the product.
    ///
    /// # Panics
    /// Never: the data is checked by a test.
    #[must_use]
    pub fn shipped_notices() -> Vec<YearNotice> {
        [
            include_str!("../../data/calendar/2024.json"),
            include_str!("../../data/calendar/2025.json"),
            include_str!("../../data/calendar/2026.json"),
        ]
        .map(|text| YearNotice::parse(text).expect("the shipped data is well-formed"))
        .into()
    }

    /// Later notices win over earlier ones, day by day: a year's file may change days of the December before.
    #[must_use]
    pub fn from_notices(notices: &[YearNotice]) -> Self {
        let mut calendar = Self::default();
        for notice in notices {
            if !notice.local {
                calendar.years.insert(notice.year);
            }
            for day in &notice.days {
                calendar.days.insert(day.date, SpecialDay { name: day.name.clone(), is_off: day.is_off_day });
            }
        }
        calendar
    }

    #[must_use]
    pub fn knows(&self, year: i32) -> bool {
        self.years.contains(&year)
    }

    /// Whether offices work on this day.
    ///
    /// # Errors
    /// When the year's notice is not known.
    pub fn is_working_day(&self, date: NaiveDate) -> Result<bool, UnknownYear> {
        if !self.knows(date.year()) {
            return Err(UnknownYear(date.year()));
        }
        Ok(match self.days.get(&date) {
            Some(day) => !day.is_off,
            None => !matches!(date.weekday(), Weekday::Sat | Weekday::Sun),
        })
    }

    /// Why this is no working day; none when it is one or unknown.
    #[must_use]
    pub fn rest_name(&self, date: NaiveDate) -> Option<&str> {
        match self.days.get(&date) {
            Some(day) => day.is_off.then_some(day.name.as_str()),
            None => matches!(date.weekday(), Weekday::Sat | Weekday::Sun).then_some("周末"),
        }
    }

    /// The first working day on or after this one.
    ///
    /// # Errors
    /// When it would lie in a year whose notice is not known.
    pub fn working_day_from(&self, date: NaiveDate) -> Result<NaiveDate, UnknownYear> {
        let mut date = date;
        while !self.is_working_day(date)? {
            date = next(date);
        }
        Ok(date)
    }

    /// The last of the rest days that follow this day; the day itself where none is known to follow.
    #[must_use]
    pub fn last_rest_day_after(&self, date: NaiveDate) -> NaiveDate {
        let mut last = date;
        while self.is_working_day(next(last)) == Ok(false) {
            last = next(last);
        }
        last
    }

    /// The last working day before this one.
    ///
    /// # Errors
    /// When it would lie in a year whose notice is not known.
    pub fn working_day_before(&self, date: NaiveDate) -> Result<NaiveDate, UnknownYear> {
        let mut date = date - Days::new(1);
        while !self.is_working_day(date)? {
            date = date - Days::new(1);
        }
        Ok(date)
    }

    /// The nth working day of a month, counted from 1; the last one when the month has fewer.
    ///
    /// # Errors
    /// When the year's notice is not known.
    pub fn nth_working_day(&self, year: i32, month: u32, nth: u32) -> Result<NaiveDate, UnknownYear> {
        let first = NaiveDate::from_ymd_opt(year, month, 1).ok_or(UnknownYear(year))?;
        let mut found = self.working_day_from(first)?;
        for _ in 1..nth {
            let candidate = self.working_day_from(next(found))?;
            if candidate.month() != month {
                break;
            }
            found = candidate;
        }
        Ok(found)
    }
}

fn next(date: NaiveDate) -> NaiveDate {
    date + Days::new(1)
}

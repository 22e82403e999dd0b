//! Time comes from the environment, never from the air, so that a year of reminders runs in a test.

use std::sync::Mutex;

use chrono::{DateTime, Duration, FixedOffset, NaiveDate, NaiveTime, SubsecRound, TimeZone, Utc};

/// Source of the present instant, in whole milliseconds (both databases store them exactly).
pub trait Clock: Send + Sync {
    fn now(&self) -> DateTime<Utc>;

    /// Whether time passes here only when it is moved. Where it does not, several programs count spans of time by one clock
    /// that they share: each has a clock of its own, and no two agree.
    fn is_simulated(&self) -> bool {
        false
    }
}

/// The machine's clock.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(3)
    }
}

/// The machine's clock, moved by a constant: for demonstrations at another hour of the day.
#[derive(Debug, Clone, Copy)]
pub struct ShiftedClock(pub Duration);

impl Clock for ShiftedClock {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + self.0
    }
}

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct SimulatedClock(Mutex<DateTime<Utc>>);

impl SimulatedClock {
    #[must_use]
    pub fn at(instant: DateTime<Utc>) -> Self {
        Self(Mutex::new(instant.trunc_subsecs(3)))
    }

    /// Stands at the given local date and hour in China.
    ///
    /// # Panics
    /// When the hour is not one of 0–23.
    #[must_use]
    pub fn at_shanghai(date: NaiveDate, hour: u32) -> Self {
        Self::at(shanghai_instant(date, NaiveTime::from_hms_opt(hour, 0, 0).expect("an hour of the day")))
    }

    pub fn set(&self, instant: DateTime<Utc>) {
        *self.0.lock().expect("no holder of this lock panics") = instant.trunc_subsecs(3);
    }

    pub fn advance(&self, step: Duration) {
        let mut instant = self.0.lock().expect("no holder of this lock panics");
        *instant += step;
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().expect("no holder of this lock panics")
    }

    fn is_simulated(&self) -> bool {
        true
    }
}

/// China Standard Time. One offset is exact: China has had no daylight saving since 1991.
#[must_use]
pub fn shanghai() -> FixedOffset {
    FixedOffset::east_opt(8 * 3600).expect("eight hours is a valid offset")
}

/// The date that the calendar on the wall of a township office shows at this instant.
#[must_use]
pub fn shanghai_date(instant: DateTime<Utc>) -> NaiveDate {
    instant.with_timezone(&shanghai()).date_naive()
}

/// The instant of a local date and time in China.
#[must_use]
pub fn shanghai_instant(date: NaiveDate, time: NaiveTime) -> DateTime<Utc> {
    shanghai()
        .from_local_datetime(&date.and_time(time))
        .single()
        .expect("a fixed offset maps every local time to one instant")
        .with_timezone(&Utc)
}

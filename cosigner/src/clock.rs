//! Time comes from outside. Only its date in China is ever kept.

use chrono::{DateTime, FixedOffset, NaiveDate, Utc};

/// Source of the present instant. A closure is one, too: `Arc::new(move || other_clock.now())`.
pub trait Clock: Send + Sync {
    fn now(&self) -> DateTime<Utc>;
}

impl<F: Fn() -> DateTime<Utc> + Send + Sync> Clock for F {
    fn now(&self) -> DateTime<Utc> {
        self()
    }
}

/// The machine's clock, moved by so many seconds: for demonstrations on another day.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock {
    pub shift_seconds: i64,
}

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now() + chrono::TimeDelta::seconds(self.shift_seconds)
    }
}

/// The date in China. One offset is exact: China has had no daylight saving since 1991.
#[must_use]
pub fn date_in_china(instant: DateTime<Utc>) -> NaiveDate {
    let china = FixedOffset::east_opt(8 * 3600).expect("eight hours is a valid offset");
    instant.with_timezone(&china).date_naive()
}

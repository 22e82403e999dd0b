use std::str::FromStr as _;

use chrono::{DateTime, FixedOffset, TimeDelta, Utc};
use cron::{Schedule, TimeUnitSpec as _};

use crate::clock::shanghai;

/// The times that a cron expression of five fields names, `minute hour day month weekday`, Beijing time.
#[derive(Clone, Debug)]
pub struct CronTimes {
    schedule: Schedule,
    /// As it is written.
    minute: String,
}

/// What is wrong with a cron expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CronFault {
    #[error("cron 表达式要有五段：分 时 日 月 星期")]
    NotFiveFields,
    /// The number of a weekday means different days to different programs.
    #[error("cron 表达式的星期请用英文缩写（MON、TUE、WED、THU、FRI、SAT、SUN）")]
    NumberedWeekday,
    #[error("读不懂的 cron 表达式")]
    Malformed,
}

impl CronTimes {
    /// Reads `minute hour day month weekday`.
    ///
    /// # Errors
    /// [`CronFault`].
    pub fn parse(expression: &str) -> Result<Self, CronFault> {
        let fields: Vec<&str> = expression.split_whitespace().collect();
        let [minute, _, _, _, weekday] = fields[..] else { return Err(CronFault::NotFiveFields) };
        if weekday.contains(|character: char| character.is_ascii_digit()) {
            return Err(CronFault::NumberedWeekday);
        }
        let schedule = Schedule::from_str(&format!("0 {expression}")).map_err(|_| CronFault::Malformed)?;
        Ok(Self { schedule, minute: minute.to_owned() })
    }

    /// Whether it comes up once an hour at most: at one minute.
    #[must_use]
    pub fn is_hourly_at_most(&self) -> bool {
        self.minute.parse::<u32>().is_ok()
    }

    /// The hours of the day at which it comes up.
    pub fn hours(&self) -> impl Iterator<Item = u32> {
        self.schedule.hours().iter()
    }

    /// The last time at or before an instant.
    #[must_use]
    pub fn last(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let end = now.with_timezone(&shanghai()) + TimeDelta::seconds(1);
        let time = self.schedule.after(&end).rev().find(|time| *time <= now)?;
        Some(time.with_timezone(&Utc))
    }

    /// The times after an instant.
    pub fn after(&self, instant: DateTime<Utc>) -> impl Iterator<Item = DateTime<FixedOffset>> {
        self.schedule.after_owned(instant.with_timezone(&shanghai()))
    }
}

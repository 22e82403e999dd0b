//! How much the platforms take. Where the real number is not known or differs between accounts, it can be set.

use std::collections::HashMap;

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::robot_use::RobotUse;

/// The documented numbers, to be made smaller in a trial of what happens beyond them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Text of a robot at WeCom in bytes. The documents say 2048, the server's own words once said 5120.
    pub robot_text_bytes: usize,
    /// Picture that an application at WeCom uploads, in bytes. One table says 10 MB, another 5 MB.
    pub image_bytes: usize,
    /// Exchanged login codes of one person in any minute (45011).
    pub logins_a_minute: usize,
    /// Template messages of the official account a day (45009).
    pub template_messages_a_day: u64,
    /// Links and schemes together: in any second (44990) and a day (44993).
    pub links_a_second: usize,
    pub links_a_day: u64,
    /// Mini-program codes in any minute (45011).
    pub codes_a_minute: usize,
    /// Texts that are checked: in any minute (44991) and a day (45009).
    pub text_checks_a_minute: usize,
    pub text_checks_a_day: u64,
    /// Pictures and recordings that are checked: in any minute (44991) and a day (45009).
    pub media_checks_a_minute: usize,
    pub media_checks_a_day: u64,
    /// What a member hears from an application at WeCom; more is dropped without a word.
    pub to_a_member_a_minute: usize,
    pub to_a_member_an_hour: usize,
    /// Accounts of the corporation: its application reaches two hundred times as many people a day.
    pub accounts: u64,
    /// Wrong secrets at WeCom within an hour that get the address banned for an hour (60020).
    pub wrong_secrets: usize,
    /// Group chats that an application creates a day.
    pub group_chats_a_day: u64,
    /// Messages of an application into its group chats, counted per member, in any minute for the corporation.
    pub group_chat_people_a_minute: u64,
    /// Seconds during which a message into customer groups is still being dispatched (41063).
    pub dispatching_seconds: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            robot_text_bytes: 2048,
            image_bytes: 5 * 1024 * 1024,
            logins_a_minute: 100,
            template_messages_a_day: 100_000,
            links_a_second: 100,
            links_a_day: 500_000,
            codes_a_minute: 5_000,
            text_checks_a_minute: 4_000,
            text_checks_a_day: 2_000_000,
            media_checks_a_minute: 2_000,
            media_checks_a_day: 200_000,
            to_a_member_a_minute: 30,
            to_a_member_an_hour: 1_000,
            accounts: 1_000,
            wrong_secrets: 20,
            group_chats_a_day: 1_000,
            group_chat_people_a_minute: 20_000,
            dispatching_seconds: 10,
        }
    }
}

/// What was used of them.
#[derive(Default)]
pub(crate) struct Usage {
    lately: HashMap<String, RobotUse>,
    /// The latest day or minute, and how many there were in it.
    periods: HashMap<String, (i64, u64)>,
    /// Month and how often the days' numbers were cleared in it.
    cleared: Option<((i32, u32), usize)>,
}

impl Usage {
    /// Counts one unless there were so many in the span before; whether it was counted.
    pub(crate) fn spend(
        &mut self,
        what: impl Into<String>,
        now: DateTime<Utc>,
        most: usize,
        within: TimeDelta,
    ) -> bool {
        self.lately.entry(what.into()).or_default().spend(now, most, within)
    }

    /// Counts so many unless the day, as it is in Beijing, would have more; whether they were counted.
    pub(crate) fn spend_today(&mut self, what: &str, now: DateTime<Utc>, most: u64, count: u64) -> bool {
        self.spend_in(what, beijing_day(now).num_days_from_ce().into(), most, count)
    }

    /// The same for the minute by the clock.
    pub(crate) fn spend_this_minute(&mut self, what: &str, now: DateTime<Utc>, most: u64, count: u64) -> bool {
        self.spend_in(what, now.timestamp() / 60, most, count)
    }

    fn spend_in(&mut self, what: &str, period: i64, most: u64, count: u64) -> bool {
        let spent = self.periods.entry(what.to_owned()).or_insert((period, 0));
        if spent.0 != period {
            *spent = (period, 0);
        }
        let fits = spent.1.saturating_add(count) <= most;
        spent.1 += if fits { count } else { 0 };
        fits
    }

    /// Lets every day's number start anew unless that was done so often this month; whether it was done.
    pub(crate) fn clear_days(&mut self, now: DateTime<Utc>, most: usize) -> bool {
        let today = beijing_day(now);
        let month = (today.year(), today.month());
        let done = self.cleared.filter(|(of, _)| *of == month).map_or(0, |(_, done)| done);
        if done >= most {
            return false;
        }
        self.cleared = Some((month, done + 1));
        self.periods.clear();
        true
    }
}

/// The day in Beijing.
pub(crate) fn beijing_day(now: DateTime<Utc>) -> NaiveDate {
    let beijing = FixedOffset::east_opt(8 * 3600).expect("eight hours are less than a day");
    now.with_timezone(&beijing).date_naive()
}

//! How long a round goes on: a slow platform or a long roll must not keep the rest of the bot from its turn, nor ring at night.

use chrono::{DateTime, TimeDelta, Timelike as _, Utc};
use qingfeng_core::{
    clock::shanghai,
    outbox::{QUIET_FROM, QUIET_UNTIL, stops},
    refusal::Fault,
};

use crate::Bot;

/// Then what the platforms pushed, what they hold for us and the schedule have their turn; the leader's lease is a minute.
const LONGEST: TimeDelta = TimeDelta::seconds(20);

/// A round of deliveries.
pub(super) struct Round {
    began: DateTime<Utc>,
}

/// Why a round ends before everything that is due has had its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Somebody turned the stop switch.
    Stopped,
    /// Nobody is disturbed at this hour.
    Quiet,
    /// It goes on in the next round.
    LongEnough,
}

impl Round {
    pub(super) fn begin(bot: &Bot) -> Self {
        Self { began: bot.store.clock().now() }
    }

    /// Asked before each recipient: the switch and the evening hold also in the middle of a round.
    pub(super) async fn end(&self, bot: &Bot) -> Result<Option<End>, Fault> {
        if stops::in_force(bot.store.reader()).await?.is_some() {
            return Ok(Some(End::Stopped));
        }
        Ok(self.end_at(bot.store.clock().now()))
    }

    fn end_at(&self, now: DateTime<Utc>) -> Option<End> {
        if is_quiet_at(now) {
            return Some(End::Quiet);
        }
        self.is_long_at(now).then_some(End::LongEnough)
    }

    /// For what disturbs nobody and may be done at night.
    pub(super) fn is_long_at(&self, now: DateTime<Utc>) -> bool {
        now - self.began >= LONGEST
    }
}

/// Whether nobody is to be disturbed at this instant.
#[must_use]
pub fn is_quiet_at(instant: DateTime<Utc>) -> bool {
    let hour = instant.with_timezone(&shanghai()).hour();
    !(QUIET_UNTIL..QUIET_FROM).contains(&hour)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{DateTime, End, Round, Utc};

    #[rstest]
    #[case("12:00:00", "12:00:19", None)]
    #[case("12:00:00", "12:00:20", Some(End::LongEnough))]
    #[case("20:59:50", "20:59:59", None)]
    #[case("20:59:50", "21:00:00", Some(End::Quiet))]
    #[case("07:59:59", "07:59:59", Some(End::Quiet))]
    #[case("08:00:00", "08:00:00", None)]
    fn a_round_ends_after_twenty_seconds_and_at_nine_in_the_evening(
        #[case] began: &str,
        #[case] now: &str,
        #[case] expected: Option<End>,
    ) {
        let at = |time: &str| -> DateTime<Utc> { format!("2026-03-02T{time}+08:00").parse().unwrap() };
        assert_eq!(Round { began: at(began) }.end_at(at(now)), expected);
    }
}

//! An interface of a platform that takes requests and does not answer rests: each message that leaves for it is one of which nobody
//! knows whether it arrived, and a person has to look at each.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// After so many requests in a row without an answer the interface rests.
const SILENT_IN_A_ROW: u32 = 3;
/// The first rest; each that follows is twice as long.
const SHORTEST_REST: TimeDelta = TimeDelta::minutes(1);
const LONGEST_REST: TimeDelta = TimeDelta::minutes(30);

/// How an interface has been answering.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answering {
    /// Requests without an answer since the last that had one.
    silent: u32,
    rests_until: Option<DateTime<Utc>>,
}

/// Whether something may be asked of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    Free,
    /// One request finds out whether it answers again; the others wait for how that ends.
    Probe,
    RestsUntil(DateTime<Utc>),
}

impl Answering {
    #[must_use]
    pub fn turn(self, now: DateTime<Utc>) -> Turn {
        match self.rests_until {
            None => Turn::Free,
            Some(until) if now < until => Turn::RestsUntil(until),
            Some(_) => Turn::Probe,
        }
    }

    /// After one more request to which no answer came. One that was on its way when the rest began does not prolong it.
    #[must_use]
    pub fn after_silence(self, now: DateTime<Utc>) -> Self {
        if matches!(self.turn(now), Turn::RestsUntil(_)) {
            return self;
        }
        let silent = self.silent.saturating_add(1);
        let rest = silent.checked_sub(SILENT_IN_A_ROW).map(|doublings| {
            let longer = SHORTEST_REST * (1 << doublings.min(10));
            longer.min(LONGEST_REST)
        });
        Self { silent, rests_until: rest.map(|rest| now + rest) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Answering, DateTime, TimeDelta, Turn, Utc};

    fn noon() -> DateTime<Utc> {
        "2026-03-02T04:00:00Z".parse().unwrap()
    }

    #[test]
    fn two_silences_are_bad_luck_and_the_third_is_a_rest() {
        let mut answering = Answering::default();
        for _ in 0..2 {
            answering = answering.after_silence(noon());
            assert_eq!(answering.turn(noon()), Turn::Free);
        }
        answering = answering.after_silence(noon());
        assert_eq!(answering.turn(noon()), Turn::RestsUntil(noon() + TimeDelta::minutes(1)));
        assert_eq!(answering.turn(noon() + TimeDelta::minutes(1)), Turn::Probe);
    }

    #[test]
    fn each_rest_is_twice_as_long_up_to_half_an_hour() {
        let (mut answering, mut now) = (Answering::default(), noon());
        let mut rests = Vec::new();
        for _ in 0..10 {
            answering = answering.after_silence(now);
            if let Turn::RestsUntil(until) = answering.turn(now) {
                rests.push((until - now).num_minutes());
                now = until;
            }
        }
        assert_eq!(rests, [1, 2, 4, 8, 16, 30, 30, 30]);
    }

    #[test]
    fn what_was_on_its_way_when_the_rest_began_does_not_prolong_it() {
        let resting = (0..3).fold(Answering::default(), |answering, _| answering.after_silence(noon()));
        assert_eq!(resting.after_silence(noon() + TimeDelta::seconds(59)), resting);
        assert_ne!(resting.after_silence(noon() + TimeDelta::seconds(60)), resting);
    }
}

//! How many messages were sent lately: by a robot, to a member, by an interface.

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};

/// The longest span that anything is counted over.
const HOUR: TimeDelta = TimeDelta::hours(1);

/// When the latest messages arrived, and until when the sender is silenced.
#[derive(Default)]
pub(crate) struct RobotUse {
    sent: VecDeque<DateTime<Utc>>,
    pub(crate) silenced_until: Option<DateTime<Utc>>,
}

impl RobotUse {
    /// Counts a message unless there were so many in the span before, an hour at most; whether it was counted.
    pub(crate) fn spend(&mut self, now: DateTime<Utc>, most: usize, within: TimeDelta) -> bool {
        while self.sent.front().is_some_and(|oldest| now - *oldest >= HOUR) {
            self.sent.pop_front();
        }
        if self.is_full(now, most, within) {
            return false;
        }
        self.sent.push_back(now);
        true
    }

    /// Whether so many were sent in the span before.
    pub(crate) fn is_full(&self, now: DateTime<Utc>, most: usize, within: TimeDelta) -> bool {
        self.sent.iter().rev().take_while(|at| now - **at < within).take(most).count() >= most
    }
}

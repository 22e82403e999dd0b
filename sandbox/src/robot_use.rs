//! How many messages a robot sent lately.

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};

const MINUTE: TimeDelta = TimeDelta::minutes(1);

/// When a robot's latest messages arrived, and until when it is silenced.
#[derive(Default)]
pub(crate) struct RobotUse {
    sent: VecDeque<DateTime<Utc>>,
    pub(crate) silenced_until: Option<DateTime<Utc>>,
}

impl RobotUse {
    /// Counts a message unless there were so many in the span before; whether it was counted.
    pub(crate) fn spend(&mut self, now: DateTime<Utc>, most: usize, within: TimeDelta) -> bool {
        self.sent.retain(|at| now - *at < MINUTE);
        let lately = self.sent.iter().filter(|at| now - **at < within).count();
        if lately >= most {
            return false;
        }
        self.sent.push_back(now);
        true
    }

    /// Whether so many were sent in the span before.
    pub(crate) fn is_full(&self, now: DateTime<Utc>, most: usize, within: TimeDelta) -> bool {
        self.sent.iter().filter(|at| now - **at < within).count() >= most
    }
}

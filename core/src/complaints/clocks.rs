use serde::{Deserialize, Serialize};

use super::ComplaintKind;
use crate::calendar::Limit;

/// The limits of a campaign's complaints. The defaults are the law's; a plan may set shorter ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockRules {
    /// 信访工作条例 art. 23: written notice within 15 days of receipt.
    pub acceptance: Limit,
    /// 信访工作条例 art. 34: 60 days from acceptance.
    pub grievance: Limit,
    pub suggestion: Limit,
    /// Plan E: fast services within 5 working days.
    pub fast_service: Limit,
    /// 好差评: a bad rating is checked and put right within 15 working days (confirm with the customer).
    pub bad_rating: Limit,
}

/// An answered complaint may be closed without a rating only so many days after the answer, and after a call-back.
pub const SILENCE_DAYS: i64 = 15;

/// Kind of the deadline by which what is parked is looked at again.
pub const PARKING_REVIEW: &str = "parking_review";

impl Default for ClockRules {
    fn default() -> Self {
        Self {
            acceptance: Limit::calendar_days(15),
            grievance: Limit::calendar_days(60),
            suggestion: Limit::calendar_days(60),
            fast_service: Limit::working_days(5),
            bad_rating: Limit::working_days(15),
        }
    }
}

impl ClockRules {
    /// The limit for the answer.
    #[must_use]
    pub fn answer(&self, kind: ComplaintKind) -> Limit {
        match kind {
            ComplaintKind::Suggestion => self.suggestion,
            ComplaintKind::Grievance => self.grievance,
            ComplaintKind::FastService => self.fast_service,
        }
    }
}

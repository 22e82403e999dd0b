//! Sealed reports (检举控告): written on a phone, sealed there to the disciplinary officers' keys, opened in their browsers.
//!
//! The server keeps envelopes that it cannot open. Whoever wrote one is nobody: no login, no address, no time of day, no
//! idempotency row, no audit record, no message. The code that the phone makes is the only way back to a report, and stays on
//! paper; what the phone sends is derived from it, and what the database holds is a digest of that. What is promised, and what is
//! not, stands in `docs/decisions/0010-sealed-reports.md`.

pub mod entity;
mod handling;
mod intake;
mod keys;
mod offices;
mod refusals;
mod state;

use sea_orm::{DeriveActiveEnum, EnumIter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::calendar::Limit;

pub use handling::{ListedReport, PAGE, ReportPage, answer, decide, list, read};
pub use intake::{Followed, NewReport, add, follow, submit};
pub use keys::{OfficeKeys, OwnKey, publish as publish_key, retire as retire_key, seen_by as keys_seen_by};
pub use offices::{Office, ReceivingOffices, can_be_received, receiving};
pub use refusals::ReportRefusal;
pub use state::{Decision, State};

/// A report with all its additions holds at most so many envelopes of its reporter, so that nobody fills the office's shelf.
pub const MOST_ADDITIONS: usize = 30;

/// Within 15 working days of receipt whoever signed with a name is told whether it is taken on (检举控告工作规则). Whether a name is
/// inside only the office sees, so the day is shown for every report.
pub const TOLD_WITHIN: Limit = Limit::working_days(15);

/// Whose envelope it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
#[schema(as = SealedReportSide)]
pub enum Side {
    Reporter,
    Office,
}

/// An envelope of a report, as it was sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub side: Side,
    pub sealed: Vec<u8>,
}

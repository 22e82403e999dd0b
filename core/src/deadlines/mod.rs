//! Deadlines of complaints, rectification items and duties, in one ledger: the desk, the reminders and the board read
//! the same rows. Overdue is computed from the date, never a state.

pub mod desk;
pub mod entity;
pub mod extensions;
mod ledger;
mod responsible;

use sea_orm::{DeriveActiveEnum, EnumIter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use ledger::{NewDeadline, end, open, open_again, reassign, resume};
pub use responsible::{responsible, those_of};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum DeadlineStatus {
    /// Still running, or over and not yet done.
    Open,
    /// Done; `ended_on` tells whether in time.
    Met,
    /// Its reason fell away.
    Cancelled,
    /// Stopped with approval (挂账).
    Suspended,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum ExtensionStatus {
    Requested,
    Approved,
    Refused,
}

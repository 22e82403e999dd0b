//! Anonymous surveys and ratings (背靠背): the township's half of protocol "bbk1".
//!
//! A survey consists of ballot boxes, one for each thing evaluated, unit and class of electors. The township keeps roll, keys
//! of its own and the sealed box; the co-signer keeps the key that opens the box and never sees a person. What that
//! protects, and what it does not, stands in `docs/decisions/0006-anonymous-surveys.md`.

pub mod batches;
pub mod entity;
pub mod formulas;
mod identifier;
pub mod planning;
pub mod queries;
pub mod questionnaires;
mod refusals;
pub mod results;
pub mod service;
pub mod sheet;
pub mod slip_account;
pub mod state;
pub mod suppression;
pub mod turnout;

use sea_orm::{DeriveActiveEnum, EnumIter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use identifier::{BallotBoxId, NotASid};
pub use refusals::SealedSurveyRefusal;
pub use state::{Act, BoxState};

/// Fewest ballots of a unit that is published: a village knows itself too well for the three to five of others.
pub const FEWEST_BALLOTS: u32 = 10;
/// Fewest real answers of a question that is published.
pub const FEWEST_ANSWERS: u32 = 5;
/// Fewest ballots for which the rows themselves are published.
pub const FEWEST_FOR_ROWS: u32 = 20;
/// Fewest eligible people of a box: among fewer nobody is hidden. Smaller groups share a box.
pub const FEWEST_ELIGIBLE: usize = 30;
/// For a rating of persons: the platform alone is not enough.
pub const FEWEST_LEVEL_FOR_PERSONS: u8 = 2;

/// From here on no page in a browser gets a credential, whoever has served it.
pub const LEVEL_WITHOUT_PAGES: i32 = 3;
/// From here on no phone gets one: there are slips alone.
pub const LEVEL_OF_PAPER: i32 = 4;

/// Whom the result is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
#[schema(as = SealedSurveyPurpose)]
pub enum Purpose {
    /// 公开: published for everybody.
    Public,
    /// 组织掌握: for office, discipline and inspectors; the public gets the log.
    Organizational,
}

/// By which way somebody on the roll answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
#[schema(as = BallotChannel)]
pub enum Channel {
    Electronic,
    /// The register says: draws a slip. Then no phone gets a credential.
    Paper,
}

/// What keeps a box from going on. The job tries again; people see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
#[schema(as = BallotBoxTrouble)]
pub enum Trouble {
    /// The co-signer or the witness does not answer.
    CosignerDown,
    /// The co-signer's roll names other people.
    RollMismatch,
    /// The co-signer or the witness has seen another log: proof of fraud or of a broken backup.
    LogForked,
    /// The co-signer answers with what cannot be right.
    CosignerWrong,
    /// The count does not agree with the log.
    CountWrong,
    /// Nobody has accounted for the paper slips: nothing is counted before.
    SlipsUnaccounted,
}

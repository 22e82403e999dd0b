//! The close record: last leaf of the log, what was issued and what was counted.

use serde::{Deserialize, Serialize};

use crate::{Hex, canonical::canonical_hash, messages::SurveyId};

/// How much of the ballots is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Publication {
    /// Only how many there were.
    Count,
    /// Totals and hashes of the rows; the rows go to auditors.
    Totals,
    /// Totals and every row.
    Rows,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Close {
    pub v: u8,
    pub sid: SurveyId,
    /// Size of the log when the box was closed: everything up to here may be counted, nothing after.
    #[serde(rename = "box")]
    pub box_size: u64,
    /// Roll leaves for which the platform and the co-signer issued credentials, each sorted.
    pub issued_a: Vec<Hex<32>>,
    pub issued_b: Vec<Hex<32>>,
    /// Ballot keys of paper slips that nobody drew, sorted.
    pub voided: Vec<Hex<32>>,
    /// Winning envelopes whose header no key opens, sorted; established before observers.
    pub unopenable: Vec<Hex<32>>,
    /// Winning envelopes with a valid ballot whose key was counted already, sorted. They are never opened.
    pub withheld: Vec<Hex<32>>,
    pub ballots: u64,
    pub junk: u64,
    pub publication: Publication,
}

impl Close {
    #[must_use]
    pub fn hash(&self) -> Hex<32> {
        canonical_hash(self)
    }
}

/// A paper slip's public half.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaperSlip {
    pub pk: Hex<32>,
    pub tag: Hex<32>,
    pub pa: Hex<32>,
    pub sa: Hex<256>,
    pub pb: Hex<32>,
    pub sb: Hex<256>,
    pub pd: Hex<32>,
    pub sd: Hex<256>,
}

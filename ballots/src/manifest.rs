//! The manifest: everything a survey is bound to, published before the first question is answered.

use serde::{Deserialize, Serialize};

use crate::{
    Hex,
    answers::{Question, may_be_asked},
    blind::PublicKey,
    canonical::canonical_hash,
    envelope::Recipient,
    messages::{SurveyId, readable_code},
};

/// First leaf of the log; both authorities and a witness sign its checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub v: u8,
    pub sid: SurveyId,
    pub title: String,
    pub questions: Vec<Question>,
    /// One leaf per eligible resident, sorted.
    pub roll: Vec<Hex<32>>,
    /// Moduli of the three keys; the exponent is 65537.
    pub keys: Moduli,
    /// Recipient of the envelopes, `age1…`.
    #[serde(rename = "box")]
    pub box_recipient: String,
    pub windows: Windows,
    /// Fewest ballots of a unit that is published, and fewest real answers of a question.
    pub k_min: u32,
    pub q_min: u32,
    /// Fewest ballots for which the rows themselves are published.
    pub l2_min: u32,
    /// Lowest level of assurance by which an answer may be given.
    pub min_level: u8,
    /// Paper slips made.
    pub paper: u32,
    /// Origin of the log's checkpoints: `host/survey`.
    pub origin: String,
    /// Verifier keys of platform, co-signer and witnesses (signed-note form). A verifier trusts those that its reader pinned.
    pub vkeys: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moduli {
    /// Platform, over ballot keys.
    pub a: Hex<256>,
    /// Co-signer, over ballot keys.
    pub b: Hex<256>,
    /// Platform, over drop tags.
    pub d: Hex<256>,
}

/// Dates in China, `YYYY-MM-DD`, both included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Windows {
    pub issue_from: String,
    pub issue_until: String,
    pub cast_from: String,
    pub cast_until: String,
}

/// The three keys, read.
#[derive(Debug, Clone)]
pub struct Keys {
    pub a: PublicKey,
    pub b: PublicKey,
    pub d: PublicKey,
}

/// Why a manifest cannot be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadManifest {
    #[error("not a manifest of protocol version 1")]
    Version,
    #[error("the questions cannot be asked: one to eight, distinct, of two to twenty options")]
    Questions,
    #[error("the roll is not sorted or names somebody twice")]
    Roll,
    #[error("the keys are not three different RSA-2048 keys")]
    Keys,
    #[error("the box's recipient is not an age key")]
    Recipient,
    #[error("the thresholds protect nobody")]
    Thresholds,
}

impl Manifest {
    /// Canonical hash: leaf of the log, and what the poster's code is made from.
    #[must_use]
    pub fn hash(&self) -> Hex<32> {
        canonical_hash(self)
    }

    /// Eight characters in two halves, for the poster in the village; the resident's app shows the same.
    #[must_use]
    pub fn poster_code(&self) -> String {
        let code = readable_code(&self.hash(), 8);
        let (first, second) = code.split_at(4);
        format!("{first}-{second}")
    }

    /// Checks the form and reads the keys.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self) -> Result<Keys, BadManifest> {
        if self.v != 1 {
            return Err(BadManifest::Version);
        }
        if !may_be_asked(&self.questions) {
            return Err(BadManifest::Questions);
        }
        if !self.roll.is_sorted_by(|one, next| one < next) {
            return Err(BadManifest::Roll);
        }
        if self.k_min < 5 || self.q_min < 3 || self.l2_min < self.k_min {
            return Err(BadManifest::Thresholds);
        }
        self.box_recipient.parse::<Recipient>().map_err(|_| BadManifest::Recipient)?;
        self.keys()
    }

    /// The three keys: different ones, or what is signed for one purpose would hold for another.
    ///
    /// # Errors
    /// When they are not three different RSA-2048 keys.
    pub fn keys(&self) -> Result<Keys, BadManifest> {
        let Moduli { a, b, d } = &self.keys;
        if a == b || b == d || a == d {
            return Err(BadManifest::Keys);
        }
        let read = |modulus: &Hex<256>| PublicKey::from_modulus(modulus.as_slice()).map_err(|_| BadManifest::Keys);
        Ok(Keys { a: read(a)?, b: read(b)?, d: read(d)? })
    }
}

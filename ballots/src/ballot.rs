//! The ballot: a key that two authorities signed blindly, and answers that this key signed.

use ed25519_dalek::{Signature, VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::{
    Hex,
    answers::Answers,
    blind,
    canonical::{canonical, canonical_hash, parse_canonical},
    manifest::{Keys, Manifest},
    messages,
};

/// The only sequence inside a ballot. Which envelope of a tag counts is decided by the envelope's own number, outside; a
/// number that differs between ballots would be published with the row, and who answered twice could be found by it.
pub const BALLOT_SEQUENCE: u32 = 0;

/// A ballot as it is sealed, counted and published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ballot {
    pub v: u8,
    /// The ballot key: Ed25519.
    pub pk: Hex<32>,
    pub seq: u32,
    pub ans: Answers,
    /// Signature of the ballot key over the answers.
    pub sig: Hex<64>,
    /// Prefix and signature of the platform.
    pub pa: Hex<32>,
    pub sa: Hex<256>,
    /// Prefix and signature of the co-signer.
    pub pb: Hex<32>,
    pub sb: Hex<256>,
}

/// Why an opened envelope is no ballot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    #[error("not a ballot in the canonical spelling")]
    Form,
    #[error("not both authorities signed the ballot key")]
    Credential,
    #[error("the answers are not signed by the ballot key")]
    Signature,
    #[error("the answers do not fit the questions")]
    Answers,
}

impl Ballot {
    /// Reads the content of an envelope.
    ///
    /// # Errors
    /// When it is not a ballot in exactly the canonical spelling.
    pub fn parse(bytes: &[u8]) -> Result<Self, Invalid> {
        let ballot: Self = parse_canonical(bytes).map_err(|_| Invalid::Form)?;
        if ballot.v == 1 && ballot.seq == BALLOT_SEQUENCE { Ok(ballot) } else { Err(Invalid::Form) }
    }

    /// The canonical spelling: what is sealed, and a line of the published rows.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        canonical(self)
    }

    /// Hash of the row, as it stands in the log.
    #[must_use]
    pub fn row_hash(&self) -> Hex<32> {
        canonical_hash(self)
    }

    /// The validity rule: both credentials, the ballot key's signature, answers that fit.
    ///
    /// # Errors
    /// The first reason why it is no ballot of this survey.
    pub fn check(&self, manifest: &Manifest, keys: &Keys) -> Result<(), Invalid> {
        if !self.is_entitled(&manifest.sid, keys) {
            return Err(Invalid::Credential);
        }
        if !self.is_signed(&manifest.sid) {
            return Err(Invalid::Signature);
        }
        if !self.ans.fit(&manifest.questions) {
            return Err(Invalid::Answers);
        }
        Ok(())
    }

    /// Whether both authorities signed the ballot key.
    #[must_use]
    pub fn is_entitled(&self, survey: &messages::SurveyId, keys: &Keys) -> bool {
        let message = messages::credential(survey, &self.pk);
        let a = keys.a.verify(&blind::prepare(&self.pa.0, &message), self.sa.as_slice());
        a.is_ok() && keys.b.verify(&blind::prepare(&self.pb.0, &message), self.sb.as_slice()).is_ok()
    }

    /// Whether the ballot key signed the answers: strict, no weak keys.
    #[must_use]
    pub fn is_signed(&self, survey: &messages::SurveyId) -> bool {
        let message = messages::ballot(survey, &self.pk, self.seq, &self.ans.hash());
        is_signed_by(&self.pk, &message, &self.sig)
    }
}

/// Whether this Ed25519 key signed the message: strict, because a key of small order would sign everything.
#[must_use]
pub fn is_signed_by(key: &Hex<32>, message: &[u8], signature: &Hex<64>) -> bool {
    VerifyingKey::from_bytes(&key.0)
        .and_then(|key| key.verify_strict(message, &Signature::from_bytes(&signature.0)))
        .is_ok()
}

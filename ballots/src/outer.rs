//! What is thrown into the box: the envelope under a tag that the platform signed blindly.

use serde::{Deserialize, Serialize};

use crate::{
    Hex,
    ballot::is_signed_by,
    blind::{self, PublicKey},
    canonical::{canonical, parse_canonical, sha256},
    envelope::{ENVELOPE_LENGTH, has_form},
    messages::{self, SurveyId},
};

/// A tag may throw this many envelopes: the last one counts, and the box cannot be flooded.
pub const MOST_REVISIONS: u32 = 8;

/// An envelope with the right to be in the box.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outer {
    pub sid: SurveyId,
    pub tag: Hex<32>,
    /// Revision, from zero.
    pub seq: u32,
    pub env: Hex<ENVELOPE_LENGTH>,
    /// Prefix and signature of the platform over the tag.
    pub prefix: Hex<32>,
    pub sig: Hex<256>,
    /// Signature of the tag over this envelope.
    pub tsig: Hex<64>,
}

/// Why an envelope does not enter the box.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OuterRefusal {
    #[error("not an envelope in the canonical spelling")]
    Form,
    #[error("an envelope of another survey")]
    ForeignSurvey,
    #[error("the tag has no ticket of this survey's platform")]
    Ticket,
    #[error("the envelope is not signed by its tag")]
    Signature,
    #[error("more revisions than a tag may throw")]
    TooManyRevisions,
    #[error("a revision of this tag with the same or a higher number is already in the box")]
    StaleSequence,
}

impl Outer {
    /// Every outer has exactly this many bytes: sequences have one digit.
    pub const LENGTH: usize = 9459;

    /// Reads what came in, of exactly the one size.
    ///
    /// # Errors
    /// When it is anything but an outer in the canonical spelling.
    pub fn parse(bytes: &[u8]) -> Result<Self, OuterRefusal> {
        if bytes.len() != Self::LENGTH {
            return Err(OuterRefusal::Form);
        }
        let outer: Self = parse_canonical(bytes).map_err(|_| OuterRefusal::Form)?;
        if has_form(outer.env.as_slice()) { Ok(outer) } else { Err(OuterRefusal::Form) }
    }

    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        canonical(self)
    }

    /// The envelope's name in the box and the log.
    #[must_use]
    pub fn envelope_hash(&self) -> Hex<32> {
        sha256(&[self.env.as_slice()])
    }

    /// Whether it may enter the box of this survey; `held` is the highest revision of the same tag in it.
    ///
    /// The identical bytes once more (a reply was lost) are for the caller to recognise: their envelope is in the box.
    ///
    /// # Errors
    /// The reason why not.
    pub fn admit(&self, survey: &SurveyId, key: &PublicKey, held: Option<u32>) -> Result<(), OuterRefusal> {
        if self.sid != *survey {
            return Err(OuterRefusal::ForeignSurvey);
        }
        if self.seq >= MOST_REVISIONS {
            return Err(OuterRefusal::TooManyRevisions);
        }
        let ticket = blind::prepare(&self.prefix.0, &messages::drop_tag(survey, &self.tag));
        key.verify(&ticket, self.sig.as_slice()).map_err(|_| OuterRefusal::Ticket)?;
        let message = messages::envelope(survey, &self.tag, self.seq, &self.envelope_hash());
        if !is_signed_by(&self.tag, &message, &self.tsig) {
            return Err(OuterRefusal::Signature);
        }
        if held.is_some_and(|held| self.seq <= held) { Err(OuterRefusal::StaleSequence) } else { Ok(()) }
    }
}

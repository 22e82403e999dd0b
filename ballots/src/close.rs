//! The close record: last leaf of the log, what was issued and what was counted.

use serde::{Deserialize, Serialize};

use crate::{
    Hex,
    blind::prepare,
    canonical::canonical_hash,
    manifest::Keys,
    messages::{self, SurveyId},
};

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
    /// Paper slips that count for nothing. Envelopes under their tags are never opened.
    pub voided: Voided,
    /// Winning envelopes whose header no key opens, sorted; established before observers.
    pub unopenable: Vec<Hex<32>>,
    /// Winning envelopes with a valid ballot whose key was counted already or is a voided slip's, sorted. What is in them is
    /// shown to nobody.
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

/// Paper slips that count for nothing: that nobody drew, or a whole batch. Keys and tags apart, each sorted, as in [`Slips`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Voided {
    pub keys: Vec<Hex<32>>,
    pub tags: Vec<Hex<32>>,
}

impl Voided {
    /// Whether both lists are sorted without repeats, as long as one another, and name slips only.
    #[must_use]
    pub fn is_of(&self, slips: &Slips) -> bool {
        ascending(&self.keys)
            && ascending(&self.tags)
            && self.keys.len() == self.tags.len()
            && self.keys.iter().all(|pk| slips.has_key(pk))
            && self.tags.iter().all(|tag| slips.has_tag(tag))
    }
}

/// The public halves of all paper slips. Ballot keys and tags stand apart, each sorted: a line with both would lead from the envelope in
/// the log to the answers in the rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slips {
    pub keys: Vec<SlipKey>,
    pub tags: Vec<SlipTag>,
}

/// A slip's ballot key with both signatures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlipKey {
    pub pk: Hex<32>,
    pub pa: Hex<32>,
    pub sa: Hex<256>,
    pub pb: Hex<32>,
    pub sb: Hex<256>,
}

/// A slip's tag with the platform's signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlipTag {
    pub tag: Hex<32>,
    pub pd: Hex<32>,
    pub sd: Hex<256>,
}

impl Slips {
    #[must_use]
    pub fn new(slips: impl IntoIterator<Item = (SlipKey, SlipTag)>) -> Self {
        let (mut keys, mut tags): (Vec<_>, Vec<_>) = slips.into_iter().unzip();
        keys.sort_unstable_by_key(|slip: &SlipKey| slip.pk);
        tags.sort_unstable_by_key(|slip: &SlipTag| slip.tag);
        Self { keys, tags }
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.tags.is_empty()
    }

    #[must_use]
    pub fn has_key(&self, pk: &Hex<32>) -> bool {
        self.keys.binary_search_by_key(pk, |slip| slip.pk).is_ok()
    }

    #[must_use]
    pub fn has_tag(&self, tag: &Hex<32>) -> bool {
        self.tags.binary_search_by_key(tag, |slip| slip.tag).is_ok()
    }

    /// All of them, as voided.
    #[must_use]
    pub fn voided(&self) -> Voided {
        Voided {
            keys: self.keys.iter().map(|slip| slip.pk).collect(),
            tags: self.tags.iter().map(|slip| slip.tag).collect(),
        }
    }

    /// Whether there are as many keys as tags, both sorted without repeats.
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        self.keys.len() == self.tags.len()
            && self.keys.is_sorted_by(|one, next| one.pk < next.pk)
            && self.tags.is_sorted_by(|one, next| one.tag < next.tag)
    }

    /// Whether each key is signed by both authorities and each tag by the platform.
    #[must_use]
    pub fn is_signed(&self, survey: &SurveyId, keys: &Keys) -> bool {
        let keys_are_signed = self.keys.iter().all(|slip| {
            let credential = messages::credential(survey, &slip.pk);
            keys.a.verify(&prepare(&slip.pa.0, &credential), slip.sa.as_slice()).is_ok()
                && keys.b.verify(&prepare(&slip.pb.0, &credential), slip.sb.as_slice()).is_ok()
        });
        keys_are_signed
            && self.tags.iter().all(|slip| {
                let tag = messages::drop_tag(survey, &slip.tag);
                keys.d.verify(&prepare(&slip.pd.0, &tag), slip.sd.as_slice()).is_ok()
            })
    }
}

fn ascending(list: &[Hex<32>]) -> bool {
    list.is_sorted_by(|one, next| one < next)
}

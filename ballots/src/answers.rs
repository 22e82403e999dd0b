//! Questions and answers. Numbers only: free text and details about persons would undo the anonymity (§7.4, §7.5).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{Hex, canonical::canonical_hash};

/// More questions would make a ballot as recognisable as a fingerprint.
pub const MOST_QUESTIONS: usize = 8;
const MOST_OPTIONS: usize = 20;

/// A question with its options in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// `q1`, `q2`, …
    pub key: String,
    pub text: String,
    pub options: Vec<String>,
}

/// Answers by question: the number of the option from one, or zero for none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Answers(pub BTreeMap<String, u8>);

impl Answers {
    /// SHA-256 of the canonical spelling.
    #[must_use]
    pub fn hash(&self) -> Hex<32> {
        canonical_hash(self)
    }

    /// Whether exactly the questions asked are answered, each by one of its options or by none.
    #[must_use]
    pub fn fit(&self, questions: &[Question]) -> bool {
        self.0.len() == questions.len()
            && questions.iter().all(|question| {
                self.0.get(&question.key).is_some_and(|answer| usize::from(*answer) <= question.options.len())
            })
    }
}

/// Whether these questions can be asked: one to eight of them, distinct keys, two to twenty options each.
#[must_use]
pub fn may_be_asked(questions: &[Question]) -> bool {
    let keys: BTreeSet<_> = questions.iter().map(|question| question.key.as_str()).collect();
    (1..=MOST_QUESTIONS).contains(&questions.len())
        && keys.len() == questions.len()
        && questions.iter().all(|question| {
            let key = question.key.as_bytes();
            matches!(key, [b'a'..=b'z', rest @ ..] if rest.len() < 16 && rest.iter().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9')))
                && (2..=MOST_OPTIONS).contains(&question.options.len())
        })
}

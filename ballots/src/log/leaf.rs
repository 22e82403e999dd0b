use serde::{Deserialize, Serialize};

use crate::{
    Hex,
    canonical::{NotCanonical, canonical, parse_canonical},
};

/// One line of the log. The leaf's bytes are the line in canonical spelling, without the line end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "t", rename_all = "lowercase", deny_unknown_fields)]
pub enum Leaf {
    Manifest { h: Hex<32> },
    Box { tag: Hex<32>, seq: u32, h: Hex<32> },
    Ballot { h: Hex<32> },
    Close { h: Hex<32> },
}

impl Leaf {
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        canonical(self)
    }

    /// Reads a line.
    ///
    /// # Errors
    /// When it is not a leaf in the canonical spelling.
    pub fn parse(line: &[u8]) -> Result<Self, NotCanonical> {
        parse_canonical(line)
    }
}

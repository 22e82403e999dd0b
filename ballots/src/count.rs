//! The count: of each tag the last envelope, opened; what is a ballot becomes a row, what is not is opened for everybody.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    Hex,
    ballot::Ballot,
    canonical::sha256,
    close::Voided,
    envelope::{BoxKey, ENVELOPE_LENGTH, FileKey, Opened, unpad},
    log::Leaf,
    manifest::{Keys, Manifest},
};

/// An envelope that was no ballot, with the key that lets anybody see so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Junk {
    pub tag: Hex<32>,
    pub seq: u32,
    pub env: Hex<ENVELOPE_LENGTH>,
    pub key: FileKey,
}

/// What came out of the box.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Sorted by ballot key, which nobody but its owner has seen before: any other order could be compared with the box's.
    pub ballots: Vec<Ballot>,
    /// Sorted by envelope.
    pub junk: Vec<Junk>,
    /// Envelopes whose header no key opens, sorted.
    pub unopenable: Vec<Hex<32>>,
    /// Envelopes with a valid ballot whose key is counted already or is a voided slip's, sorted. They stay sealed for everybody:
    /// the platform makes tags, and could put a copy of somebody's envelope under one of its own to have it opened.
    pub withheld: Vec<Hex<32>>,
}

/// Why nothing is counted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CountRefusal {
    #[error("the box holds no envelope for the logged hash {0}")]
    Missing(Hex<32>),
    #[error("the envelope {0} is in the box but not in the log")]
    Unlogged(Hex<32>),
    #[error("the log has tag {0} twice with the same revision")]
    Repeated(Hex<32>),
}

/// An envelope that counts: of its tag the one with the highest revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Winner {
    pub seq: u32,
    pub envelope: Hex<32>,
}

/// Of every tag the logged envelope with the highest revision.
///
/// # Errors
/// Names a tag that stands in the log twice with one revision.
pub fn winners<'a>(leaves: impl IntoIterator<Item = &'a Leaf>) -> Result<BTreeMap<Hex<32>, Winner>, Hex<32>> {
    let mut seen = BTreeSet::new();
    let mut winners: BTreeMap<Hex<32>, Winner> = BTreeMap::new();
    for leaf in leaves {
        let Leaf::Box { tag, seq, h } = leaf else { continue };
        if !seen.insert((*tag, *seq)) {
            return Err(*tag);
        }
        let next = Winner { seq: *seq, envelope: *h };
        let winner = winners.entry(*tag).or_insert(next);
        if next.seq > winner.seq {
            *winner = next;
        }
    }
    Ok(winners)
}

/// What an opened envelope turned out to be.
pub(crate) fn ballot_in(opened: &Opened, manifest: &Manifest, keys: &Keys) -> Option<Ballot> {
    let ballot = Ballot::parse(unpad(opened.plaintext.as_deref()?)?).ok()?;
    ballot.check(manifest, keys).is_ok().then_some(ballot)
}

/// Counts the closed box against the log.
///
/// A ballot key that stands in two tags counts once, for the envelope whose hash is smallest; its owner gave it away. Envelopes under
/// the tag of a voided slip are not opened at all.
///
/// # Errors
/// When box and log do not hold the same envelopes.
pub fn count(
    manifest: &Manifest,
    keys: &Keys,
    log: &[Leaf],
    envelopes: &[Hex<ENVELOPE_LENGTH>],
    voided: &Voided,
    box_key: &BoxKey,
) -> Result<Count, CountRefusal> {
    let held: BTreeMap<_, _> = envelopes.iter().map(|envelope| (sha256(&[envelope.as_slice()]), envelope)).collect();
    let winners = winners(log).map_err(CountRefusal::Repeated)?;
    let mut winning: Vec<_> = winners.into_iter().collect();
    winning.sort_unstable_by_key(|(_, winner)| winner.envelope);
    let logged: BTreeSet<_> =
        log.iter().filter_map(|leaf| if let Leaf::Box { h, .. } = leaf { Some(*h) } else { None }).collect();
    if let Some(foreign) = held.keys().find(|hash| !logged.contains(hash)) {
        return Err(CountRefusal::Unlogged(*foreign));
    }
    if let Some(missing) = logged.iter().find(|hash| !held.contains_key(*hash)) {
        return Err(CountRefusal::Missing(*missing));
    }

    let mut count = Count::default();
    let mut counted = BTreeSet::new();
    for (tag, Winner { seq, envelope: hash }) in winning {
        if voided.tags.contains(&tag) {
            continue;
        }
        let envelope = held.get(&hash).ok_or(CountRefusal::Missing(hash))?;
        let Ok(opened) = box_key.open(envelope.as_slice()) else {
            count.unopenable.push(hash);
            continue;
        };
        match ballot_in(&opened, manifest, keys) {
            Some(ballot) if voided.keys.contains(&ballot.pk) => count.withheld.push(hash),
            Some(ballot) if counted.insert(ballot.pk) => count.ballots.push(ballot),
            Some(_) => count.withheld.push(hash),
            None => count.junk.push(Junk { tag, seq, env: **envelope, key: opened.file_key }),
        }
    }
    count.ballots.sort_unstable_by_key(|ballot| ballot.pk);
    Ok(count)
}

//! From the count to the bundle: rows and close record enter the log, totals and scope follow from the rows.

use crate::{
    Hex,
    bundle::{Bundle, Row},
    close::{Close, Slips, Voided},
    count::Count,
    log::{Leaf, Tree},
    manifest::Manifest,
    publication::{Tally, Thresholds, publication, totals},
};

/// What a closed and counted survey consists of.
#[derive(Debug)]
pub struct Closing {
    pub manifest: Manifest,
    /// The box's leaves, in the order in which they were logged.
    pub box_leaves: Vec<Leaf>,
    pub count: Count,
    /// Roll leaves for which the platform and the co-signer issued, each sorted.
    pub issued_a: Vec<Hex<32>>,
    pub issued_b: Vec<Hex<32>>,
    pub voided: Voided,
    pub paper: Slips,
}

impl Closing {
    /// A credential needs both authorities: who got the signature of one only — because the other was out of order, or because
    /// she never went on — has none, and both lists leave her out. Both authorities do this alike before they sign.
    #[must_use]
    pub fn settled(mut self) -> Self {
        let both = |own: &[Hex<32>], other: &[Hex<32>]| -> Vec<Hex<32>> {
            own.iter().filter(|leaf| other.binary_search(leaf).is_ok()).copied().collect()
        };
        let issued_a = both(&self.issued_a, &self.issued_b);
        self.issued_b = both(&self.issued_b, &self.issued_a);
        self.issued_a = issued_a;
        self
    }

    /// The auditors' bundle, still without checkpoints: those are for the quorum to sign. The public gets
    /// [`Bundle::for_the_public`].
    #[must_use]
    pub fn bundle(self) -> Bundle {
        let Self { manifest, box_leaves, count, issued_a, issued_b, voided, paper } = self;
        let thresholds = Thresholds::from(&manifest);
        let tally = Tally::of(&manifest.questions, count.ballots.iter().map(|ballot| &ballot.ans));
        let ballots = u32::try_from(count.ballots.len()).unwrap_or(u32::MAX);
        let close = Close {
            v: 1,
            sid: manifest.sid,
            box_size: length(&box_leaves) + 1,
            issued_a,
            issued_b,
            voided,
            unopenable: count.unopenable,
            withheld: count.withheld,
            ballots: ballots.into(),
            junk: length(&count.junk),
            publication: publication(&tally, ballots, thresholds),
        };
        let rows = count.ballots.iter().map(|ballot| Leaf::Ballot { h: ballot.row_hash() });
        let log = [Leaf::Manifest { h: manifest.hash() }]
            .into_iter()
            .chain(box_leaves)
            .chain(rows)
            .chain([Leaf::Close { h: close.hash() }])
            .map(|leaf| leaf.to_bytes())
            .collect();
        Bundle {
            totals: totals(&tally, ballots, thresholds),
            ballots: Some(count.ballots.into_iter().map(Row::from).collect()),
            checkpoints: Vec::new(),
            junk: count.junk,
            manifest,
            log,
            close,
            paper,
        }
    }
}

fn length<T>(items: &[T]) -> u64 {
    u64::try_from(items.len()).unwrap_or(u64::MAX)
}

impl Bundle {
    /// The tree of the bundle's log.
    #[must_use]
    pub fn tree(&self) -> Tree {
        let mut tree = Tree::default();
        for line in &self.log {
            tree.append(line);
        }
        tree
    }
}

//! A counted survey, and how its authorities publish it — or something else.

use std::sync::OnceLock;

use qingfeng_ballots::{
    Hex,
    ballot::Ballot,
    bundle::Bundle,
    close::{Slips, Voided},
    closing::Closing,
    count::{Count, count},
    envelope::ENVELOPE_LENGTH,
    log::{Checkpoint, Leaf, Note, Pinned, Signer, checkpoint_text},
    outer::Outer,
    verification::{Check, Reader, Report, verify},
    voter::Credential,
};

use crate::survey::{Survey, answered, leaf_of, pinned_keys, signer_of};

/// Twenty-five credentials, issued once: every survey of these tests has the same keys and the same name.
fn voters(survey: &Survey) -> Vec<Credential> {
    static VOTERS: OnceLock<Vec<Credential>> = OnceLock::new();
    VOTERS.get_or_init(|| (0..25).map(|_| survey.credential()).collect()).clone()
}

pub const RESIDENTS: u8 = 30;
pub const ISSUED: u8 = 26;

/// Twenty-four of thirty answered; two changed their mind, one sent answers that were never asked for.
pub struct Published {
    pub survey: Survey,
    pub voters: Vec<Credential>,
    pub outers: Vec<Outer>,
    /// As far as the log knows them.
    pub box_leaves: Vec<Leaf>,
    pub issued: Vec<Hex<32>>,
    pub voided: Voided,
    pub paper: Slips,
}

impl Published {
    pub fn new() -> Self {
        Self::with_paper(0)
    }

    /// The same with some paper slips, of which none was drawn.
    pub fn with_paper(slips: u8) -> Self {
        let mut survey = Survey::with_residents(RESIDENTS);
        survey.manifest.paper = slips.into();
        let mut voters = voters(&survey);
        let answers = |voter: usize| [u8::try_from(voter % 3).unwrap() + 1, u8::try_from(voter % 4).unwrap()];
        let odd = voters.pop().unwrap();
        let mut outers: Vec<_> =
            (0..).zip(&voters).map(|(index, voter)| survey.cast(voter, answers(index), 0)).collect();
        outers.push(survey.cast(&voters[3], [3, 3], 1));
        outers.push(survey.cast(&voters[8], [1, 0], 1));
        outers.push(survey.cast(&odd, [4, 4], 0));
        let issued = (0..ISSUED).map(|resident| leaf_of(&survey.manifest.sid, resident)).collect::<Vec<_>>();
        let paper = Slips::new((0..slips).map(|_| survey.credential().slip()));
        let mut published =
            Self { survey, voters, box_leaves: Vec::new(), outers, issued, voided: Voided::default(), paper };
        published.issued.sort_unstable();
        published.box_leaves = published.outers.iter().map(box_leaf).collect();
        published.voided = published.paper.voided();
        published
    }

    pub fn envelopes(&self) -> Vec<Hex<ENVELOPE_LENGTH>> {
        self.outers.iter().map(|outer| outer.env).collect()
    }

    pub fn count(&self) -> Count {
        let Survey { manifest, keys, box_key, .. } = &self.survey;
        count(manifest, keys, &self.box_leaves, &self.envelopes(), &self.voided, box_key).unwrap()
    }

    /// Publishes a count, honest or not: everything that follows from it is worked out anew and signed by all.
    pub fn publish(&self, count: Count) -> Bundle {
        self.publish_as(count, |_| {})
    }

    pub fn publish_as(&self, count: Count, change: impl FnOnce(&mut Closing)) -> Bundle {
        let mut closing = Closing {
            manifest: self.survey.manifest.clone(),
            box_leaves: self.box_leaves.clone(),
            count,
            issued_a: self.issued.clone(),
            issued_b: self.issued.clone(),
            voided: self.voided.clone(),
            paper: self.paper.clone(),
        };
        change(&mut closing);
        signed(closing.bundle())
    }

    /// A valid ballot of somebody to whom nobody issued anything on record.
    pub fn phantom(&self) -> Ballot {
        self.survey.credential().ballot(answered([1, 1]))
    }
}

/// Signs checkpoints at the opening, at the close of the box and at the end.
pub fn signed(mut bundle: Bundle) -> Bundle {
    let sizes = [1, bundle.close.box_size, bundle.tree().size()];
    bundle.checkpoints = sizes.map(|size| checkpoint(&bundle, size, &["platform", "cosigner", "county"])).to_vec();
    bundle
}

pub fn checkpoint(bundle: &Bundle, size: u64, signers: &[&str]) -> String {
    let checkpoint = Checkpoint { size, root: bundle.tree().root(size).unwrap() };
    let signers: Vec<_> = signers.iter().map(|name| signer_of(name)).collect();
    let signers: Vec<&dyn Signer> = signers.iter().map(|signer| signer as &dyn Signer).collect();
    let mut note = Note::new(&checkpoint_text(&bundle.manifest.origin, &checkpoint).unwrap(), &[]).unwrap();
    note.add_sigs(&signers).unwrap();
    String::from_utf8(note.to_bytes()).unwrap()
}

pub fn box_leaf(outer: &Outer) -> Leaf {
    Leaf::Box { tag: outer.tag, seq: outer.seq, h: outer.envelope_hash() }
}

pub fn reader() -> Reader {
    let pinned = Pinned::parse(&pinned_keys()).unwrap();
    Reader { pinned, checkpoints: vec![], fingerprints: vec![], mine: None, roll_size: None }
}

/// The codes of the checks that fail for a reader who brings nothing but the pinned keys.
pub fn failed(bundle: &Bundle) -> Vec<Check> {
    codes(&verify(bundle, &reader()))
}

pub fn codes(report: &Report) -> Vec<Check> {
    report.failed.keys().copied().collect()
}

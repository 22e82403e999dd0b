//! What only the reader can check, with what she kept or counted herself.

use qingfeng_ballots::{
    bundle::{Bundle, Mine},
    log::{Checkpoint, Fingerprint},
    verification::{Check, Reader, verify},
};

use crate::{
    published::{ISSUED, Published, RESIDENTS, box_leaf, checkpoint, codes, failed, reader},
    survey::{answered, leaf_of},
};

fn found(bundle: &Bundle, reader: &Reader) -> Vec<Check> {
    codes(&verify(bundle, reader))
}

fn fingerprint(bundle: &Bundle, size: u64) -> Fingerprint {
    Checkpoint { size, root: bundle.tree().root(size).unwrap() }.fingerprint()
}

/// Platform, co-signer and witness together take out a ballot with its envelope and sign everything anew. Nothing in the
/// bundle can show it; only somebody who kept an earlier post can. That is why posting to the group is part of the protocol.
#[test]
fn a_removal_signed_by_all_passes_unless_somebody_kept_a_fingerprint() {
    let mut published = Published::new();
    let honest = published.publish(published.count());
    let size = honest.close.box_size;
    published.outers.remove(10);
    published.box_leaves = published.outers.iter().map(box_leaf).collect();
    let removed = published.publish(published.count());
    assert_eq!(failed(&removed), []);

    let kept = Reader { fingerprints: vec![fingerprint(&honest, size)], ..reader() };
    assert_eq!(found(&honest, &kept), []);
    assert_eq!(found(&removed, &kept), [Check::V3]);
    let note = checkpoint(&honest, size, &["platform", "cosigner", "committee"]);
    let kept = Reader { checkpoints: vec![note.clone().into_bytes()], ..reader() };
    assert_eq!(found(&honest, &kept), []);
    assert_eq!(found(&removed, &kept), [Check::V3]);
    let forged = note.replacen("platform", "plattform", 1);
    let kept = Reader { checkpoints: vec![forged.into_bytes()], ..reader() };
    assert_eq!(found(&honest, &kept), [Check::V3], "a note without quorum shows nothing");
}

#[test]
fn a_voter_finds_her_row_and_her_place_in_the_roll() {
    let published = Published::new();
    let bundle = published.publish(published.count());
    let sid = published.survey.manifest.sid;
    let row = published.voters[3].ballot(answered([3, 3])).row_hash();
    let with = |mine| Reader { mine: Some(mine), ..reader() };
    let mine = Mine { row: Some(row), roll_leaf: leaf_of(&sid, 0), issued: true };
    assert_eq!(found(&bundle, &with(mine.clone())), []);
    let superseded = published.voters[3].ballot(answered([1, 3])).row_hash();
    assert_eq!(found(&bundle, &with(Mine { row: Some(superseded), ..mine.clone() })), [Check::V14]);
    assert_eq!(
        found(&bundle, &with(Mine { issued: false, ..mine.clone() })),
        [Check::V14],
        "somebody asked in her name"
    );
    let absent = Mine { row: None, roll_leaf: leaf_of(&sid, ISSUED), issued: false };
    assert_eq!(found(&bundle, &with(absent)), []);
    let stranger = Mine { row: None, roll_leaf: leaf_of(&sid, RESIDENTS), issued: false };
    assert_eq!(found(&bundle, &with(stranger)), [Check::V14]);
}

#[test]
fn invented_residents_show_in_the_number_of_names() {
    let published = Published::new();
    let bundle = published.publish(published.count());
    let with = |names: u64| Reader { roll_size: Some(names), ..reader() };
    assert_eq!(found(&bundle, &with(RESIDENTS.into())), []);
    assert_eq!(found(&bundle, &with(u64::from(RESIDENTS) - 1)), [Check::V15]);
}

#[test]
fn what_was_not_checked_is_said() {
    let published = Published::new();
    let report = verify(&published.publish(published.count()), &reader());
    let not_checked: Vec<_> = report.not_checked.keys().copied().collect();
    assert_eq!(not_checked, [Check::V3, Check::V14, Check::V15]);
}

#[test]
fn every_check_has_a_code_and_a_sentence_of_its_own() {
    let sentences: std::collections::BTreeSet<_> = Check::ALL.map(Check::sentence).into();
    assert_eq!(sentences.len(), 15);
    assert_eq!(Check::V12.code(), "V12");
}

use qingfeng_ballots::{
    bundle::Bundle,
    close::{Publication, Voided},
    count::{CountRefusal, count},
    envelope::open_with_file_key,
    verification::{Check, verify},
};

use crate::{
    published::{Published, box_leaf, codes, failed, reader},
    survey::answered,
};

#[test]
fn of_every_tag_the_last_envelope_counts() {
    let published = Published::new();
    let count = published.count();
    assert_eq!((count.ballots.len(), count.junk.len()), (24, 1));
    let changed = published.voters[3].ballot(answered([3, 3]));
    assert!(count.ballots.contains(&changed));
    assert!(count.ballots.is_sorted_by_key(|ballot| ballot.pk), "in the order of keys that nobody has seen");
}

#[test]
fn what_is_no_ballot_is_opened_for_everybody() {
    let published = Published::new();
    let junk = &published.count().junk[0];
    assert!(open_with_file_key(junk.key, junk.env.as_slice()).unwrap().plaintext.is_some());
}

#[test]
fn box_and_log_have_to_hold_the_same() {
    let published = Published::new();
    let survey = &published.survey;
    let envelopes = published.envelopes();
    let counted = |leaves, envelopes| {
        count(&survey.manifest, &survey.keys, leaves, envelopes, &Voided::default(), &survey.box_key)
    };
    let first = published.outers[0].envelope_hash();
    assert_eq!(counted(&published.box_leaves, &envelopes[1..]), Err(CountRefusal::Missing(first)));
    assert_eq!(counted(&published.box_leaves[1..], &envelopes), Err(CountRefusal::Unlogged(first)));
}

/// The platform makes tags. It could put a copy of somebody's envelope under a tag of its own, so that the copy is found
/// to be a duplicate — and opened before everybody, the platform included, who knows from whom it came.
#[test]
fn a_copied_envelope_is_never_opened_and_the_copy_is_noticed() {
    let mut published = Published::new();
    let mut copy = published.survey.cast(&published.survey.credential(), [1, 1], 0);
    copy.env = published.outers[0].env;
    published.box_leaves.push(box_leaf(&copy));
    let count = published.count();
    assert_eq!(count.withheld, [published.outers[0].envelope_hash()]);
    assert!(count.junk.iter().all(|junk| junk.env != copy.env));
    let bundle = published.publish(count);
    assert_eq!(failed(&bundle), [Check::V11, Check::V13]);
    assert_eq!(bundle.ballots.unwrap().len(), 24, "the copied ballot itself counts, once");
}

#[test]
fn an_earlier_envelope_logged_under_a_foreign_tag_stays_sealed_too() {
    let mut published = Published::new();
    // Voter 3 changed her mind; the platform kept her first envelope back and throws it in under a tag of its own.
    let mut copy = published.survey.cast(&published.survey.credential(), [1, 1], 0);
    copy.env = published.outers[3].env;
    published.outers.remove(3);
    published.outers.push(copy);
    published.box_leaves = published.outers.iter().map(box_leaf).collect();
    let count = published.count();
    assert_eq!((count.ballots.len(), count.withheld.len(), count.junk.len()), (24, 1, 1));
}

#[test]
fn an_envelope_that_no_key_opens_is_listed_and_told() {
    let mut published = Published::new();
    let spoiled = published.survey.cast(&published.survey.credential(), [1, 1], 0);
    let mut spoiled = spoiled;
    spoiled.env.0[130] = if spoiled.env.0[130] == b'A' { b'B' } else { b'A' };
    published.outers.push(spoiled.clone());
    published.box_leaves = published.outers.iter().map(box_leaf).collect();
    let count = published.count();
    assert_eq!(count.unopenable, [spoiled.envelope_hash()]);
    let report = verify(&published.publish(count), &reader());
    assert_eq!(codes(&report), [Check::V13], "one in twenty-six is more than one in a hundred");
    assert_eq!(report.notices.len(), 1);
}

#[test]
fn a_bundle_is_read_as_it_was_written() {
    let published = Published::with_paper(2);
    let bundle = published.publish(published.count());
    let folder = tempfile::tempdir().unwrap();
    bundle.write(folder.path()).unwrap();
    assert_eq!(Bundle::read(folder.path()).unwrap(), bundle);
}

/// The edit that changes nothing: files whose bytes are not hashed may be spelled for the eye.
#[test]
fn files_spelled_for_the_eye_pass() {
    let published = Published::new();
    let folder = tempfile::tempdir().unwrap();
    published.publish(published.count()).write(folder.path()).unwrap();
    for name in ["manifest.json", "close.json", "junk.json", "totals.json", "checkpoints.json"] {
        let path = folder.path().join(name);
        let value: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        std::fs::write(&path, serde_json::to_vec_pretty(&value).unwrap()).unwrap();
    }
    assert_eq!(failed(&Bundle::read(folder.path()).unwrap()), []);
}

#[test]
fn a_damaged_folder_is_unreadable_and_never_a_panic() {
    let published = Published::new();
    let whole = tempfile::tempdir().unwrap();
    published.publish(published.count()).write(whole.path()).unwrap();
    for name in
        ["manifest.json", "log.jsonl", "ballots.jsonl", "close.json", "junk.json", "totals.json", "checkpoints.json"]
    {
        let path = whole.path().join(name);
        let good = std::fs::read(&path).unwrap();
        for bad in
            [good[..good.len() - 1].to_vec(), good[..good.len() / 2 - 3].to_vec(), b"{}\n".to_vec(), vec![0xff; 64]]
        {
            std::fs::write(&path, bad).unwrap();
            assert!(Bundle::read(whole.path()).is_err(), "{name}");
        }
        std::fs::remove_file(&path).unwrap();
        assert_eq!(Bundle::read(whole.path()).is_ok(), name == "ballots.jsonl", "{name}");
        std::fs::write(&path, good).unwrap();
    }
    assert!(Bundle::read(whole.path()).is_ok());
}

#[test]
fn nineteen_ballots_are_published_as_totals_and_an_outsider_checks_the_rest() {
    let mut published = Published::new();
    let five: Vec<_> = published.voters.drain(9..14).map(|voter| voter.tag_key.verifying_key().to_bytes()).collect();
    published.outers.retain(|outer| !five.contains(&outer.tag.0));
    published.box_leaves = published.outers.iter().map(box_leaf).collect();
    let bundle = published.publish(published.count());
    assert_eq!(bundle.close.publication, Publication::Totals);
    assert_eq!(failed(&bundle), [], "the auditors' bundle");
    let public = bundle.for_the_public();
    let report = verify(&public, &reader());
    assert_eq!(public.ballots, None);
    assert_eq!(codes(&report), []);
    for check in [Check::V4, Check::V5, Check::V6, Check::V7, Check::V8, Check::V12] {
        assert!(report.not_checked.contains_key(&check), "{check:?}");
    }
}

//! Every way of tampering, against the exact set of checks that notice.

use Check::*;
use qingfeng_ballots::{
    Hex,
    bundle::{Bundle, Row},
    close::{Slips, Voided},
    count::Junk,
    log::Leaf,
    verification::Check,
    voter::Credential,
};
use rstest::rstest;

use crate::{
    published::{Published, box_leaf, checkpoint, failed, signed},
    survey::answered,
};

#[test]
fn an_honest_bundle_passes() {
    let published = Published::new();
    let bundle = published.publish(published.count());
    assert_eq!(bundle.ballots.as_ref().unwrap().len(), 24);
    assert_eq!(bundle.junk.len(), 1);
    assert_eq!(failed(&bundle), []);
}

/// Changes to files after everything was signed.
#[rstest]
#[case::an_answer_changed(|bundle: &mut Bundle| {
    let rows = bundle.ballots.as_mut().unwrap();
    let mut ballot = rows[0].ballot.clone();
    ballot.ans = answered([if ballot.ans == answered([1, 0]) { 2 } else { 1 }, 0]);
    rows[0] = Row::from(ballot);
}, &[V4, V7, V12])]
#[case::a_row_removed(|bundle: &mut Bundle| drop(bundle.ballots.as_mut().unwrap().remove(5)), &[V4, V12])]
#[case::two_rows_exchanged(|bundle: &mut Bundle| bundle.ballots.as_mut().unwrap().swap(2, 7), &[V4])]
#[case::a_row_spelled_differently(|bundle: &mut Bundle| bundle.ballots.as_mut().unwrap()[3].bytes.insert(1, b' '), &[V4])]
#[case::all_rows_withheld(|bundle: &mut Bundle| bundle.ballots = None, &[V4])]
#[case::totals_changed(|bundle: &mut Bundle| *bundle.totals.questions.get_mut("q1").unwrap() = Some(vec![0, 24, 0, 0]), &[V12])]
#[case::a_question_reworded(|bundle: &mut Bundle| bundle.manifest.questions[0].text = "满意吗？".into(), &[V1])]
#[case::somebody_issued_later(|bundle: &mut Bundle| bundle.close.issued_a.clear(), &[V1, V9, V10])]
#[case::a_leaf_changed(|bundle: &mut Bundle| bundle.log[4] = bundle.log[5].clone(), &[V2, V11])]
#[case::the_log_cut_off(|bundle: &mut Bundle| drop(bundle.log.pop()), &[V1, V2])]
#[case::a_leaf_spelled_differently(|bundle: &mut Bundle| bundle.log[1].insert(1, b' '), &[V1, V2, V11])]
#[case::the_last_checkpoint_missing(|bundle: &mut Bundle| drop(bundle.checkpoints.pop()), &[V2])]
#[case::the_closing_checkpoint_missing(|bundle: &mut Bundle| drop(bundle.checkpoints.remove(1)), &[V2])]
#[case::a_checkpoint_without_witness(|bundle: &mut Bundle| {
    let size = bundle.tree().size();
    bundle.checkpoints[2] = checkpoint(bundle, size, &["platform", "cosigner"]);
}, &[V2])]
#[case::junk_removed(|bundle: &mut Bundle| bundle.junk.clear(), &[V11])]
#[case::junk_with_another_key(|bundle: &mut Bundle| bundle.junk[0].key = Hex([1; 16]), &[V13])]
fn files_changed_after_signing(#[case] change: fn(&mut Bundle), #[case] codes: &[Check]) {
    let published = Published::new();
    let mut bundle = published.publish(published.count());
    change(&mut bundle);
    assert_eq!(failed(&bundle), codes);
}

/// Frauds that all authorities sign: everything that follows is worked out anew.
#[test]
fn a_ballot_left_out_is_missing_from_the_balance() {
    let published = Published::new();
    let mut count = published.count();
    count.ballots.remove(4);
    assert_eq!(failed(&published.publish(count)), [V11]);
}

#[test]
fn a_ballot_of_the_platform_alone_lacks_the_cosigners_signature() {
    let mut published = Published::new();
    let mut phantom = published.phantom();
    (phantom.pb, phantom.sb) = (phantom.pa, phantom.sa);
    let outer = published.survey.cast(&published.survey.credential(), [1, 1], 0);
    published.box_leaves.push(box_leaf(&outer));
    let mut count = published.count_without_new();
    count.ballots.push(phantom);
    count.ballots.sort_unstable_by_key(|ballot| ballot.pk);
    assert_eq!(failed(&published.publish(count)), [V6]);
}

#[test]
fn more_ballots_than_issued_credentials_are_noticed() {
    let mut published = Published::new();
    for _ in 0..3 {
        let voter = published.survey.credential();
        published.outers.push(published.survey.cast(&voter, [1, 1], 0));
    }
    published.box_leaves = published.outers.iter().map(box_leaf).collect();
    assert_eq!(failed(&published.publish(published.count())), [V10]);
}

#[test]
fn a_ballot_counted_twice_is_noticed() {
    let mut published = Published::new();
    let outer = published.survey.cast(&published.survey.credential(), [1, 1], 0);
    published.box_leaves.push(box_leaf(&outer));
    let mut count = published.count_without_new();
    count.ballots.insert(1, count.ballots[0].clone());
    assert_eq!(failed(&published.publish(count)), [V5]);
}

#[test]
fn answers_that_were_never_offered_do_not_count() {
    let published = Published::new();
    let mut count = published.count();
    // The odd envelope is counted instead of opened.
    let odd = published.survey.credential().ballot(answered([4, 4]));
    count.junk.clear();
    count.ballots.push(odd);
    count.ballots.sort_unstable_by_key(|ballot| ballot.pk);
    assert_eq!(failed(&published.publish(count)), [V8]);
}

#[test]
fn a_valid_ballot_passed_off_as_junk_is_seen_to_be_valid() {
    let published = Published::new();
    let mut count = published.count();
    let outer = &published.outers[0];
    let opened = published.survey.box_key.open(outer.env.as_slice()).unwrap();
    let mine = published.voters[0].ballot(answered([1, 0])).pk;
    count.ballots.retain(|ballot| ballot.pk != mine);
    count.junk.push(Junk { tag: outer.tag, seq: outer.seq, env: outer.env, key: opened.file_key });
    assert_eq!(failed(&published.publish(count)), [V13]);
}

#[test]
fn a_superseded_envelope_is_not_to_be_opened() {
    let published = Published::new();
    let mut count = published.count();
    // Voter 3 changed her mind; her first envelope is opened instead of the odd one.
    let outer = &published.outers[3];
    let opened = published.survey.box_key.open(outer.env.as_slice()).unwrap();
    count.junk[0] = Junk { tag: outer.tag, seq: outer.seq, env: outer.env, key: opened.file_key };
    assert_eq!(failed(&published.publish(count)), [V13]);
}

#[test]
fn ballots_passed_off_as_unopenable_are_few_or_the_count_is_contested() {
    let published = Published::new();
    let mut count = published.count();
    let voter = published.voters[0].ballot(answered([1, 0])).pk;
    count.ballots.retain(|ballot| ballot.pk != voter);
    count.unopenable.push(published.outers[0].envelope_hash());
    assert_eq!(failed(&published.publish(count)), [V13]);
}

#[test]
fn invented_or_unequal_issuance_is_noticed() {
    let published = Published::new();
    let invented = published.publish_as(published.count(), |closing| {
        for issued in [&mut closing.issued_a, &mut closing.issued_b] {
            issued.push(Hex([0xff; 32]));
        }
    });
    assert_eq!(failed(&invented), [V9]);
    let unequal = published.publish_as(published.count(), |closing| closing.issued_b.truncate(25));
    assert_eq!(failed(&unequal), [V9]);
    let twice = published.publish_as(published.count(), |closing| {
        for issued in [&mut closing.issued_a, &mut closing.issued_b] {
            issued.insert(1, issued[0]);
        }
    });
    assert_eq!(failed(&twice), [V9]);
}

#[test]
fn an_envelope_logged_after_the_close_is_noticed() {
    let published = Published::new();
    let mut bundle = published.publish(published.count());
    let late = published.survey.cast(&published.survey.credential(), [1, 1], 0);
    let end = bundle.log.len() - 1;
    bundle.log.insert(end, box_leaf(&late).to_bytes());
    assert_eq!(failed(&signed(bundle)), [V1, V11]);
}

#[test]
fn one_tag_with_two_envelopes_of_one_revision_is_noticed() {
    let mut published = Published::new();
    let count = published.count();
    let second = published.survey.cast(&published.voters[0], [3, 3], 0);
    published.box_leaves.push(box_leaf(&second));
    assert_eq!(failed(&published.publish(count)), [V11]);
}

#[test]
fn a_voided_slip_is_not_counted_and_a_slip_too_many_is_noticed() {
    let published = Published::with_paper(3);
    assert_eq!(failed(&published.publish(published.count())), []);

    let more = published.publish_as(published.count(), |closing| {
        let slips = [&closing.paper.keys[..], &[published.survey.credential().slip().0]].concat();
        closing.paper.keys = slips;
        closing.paper.keys.sort_unstable_by_key(|slip| slip.pk);
    });
    assert_eq!(failed(&more), [V10]);
    let unsigned =
        published.publish_as(published.count(), |closing| closing.paper.keys[0].sb = closing.paper.keys[0].sa);
    assert_eq!(failed(&unsigned), [V10]);
    let unsigned = published.publish_as(published.count(), |closing| closing.paper.tags[0].sd = Hex([1; 256]));
    assert_eq!(failed(&unsigned), [V10]);
    let foreign = published.publish_as(published.count(), |closing| {
        closing.voided.keys.push(Hex([0xff; 32]));
        closing.voided.tags.push(Hex([0xff; 32]));
    });
    assert_eq!(failed(&foreign), [V10]);
}

#[test]
fn what_was_thrown_in_with_a_voided_slip_is_never_opened() {
    let mut published = Published::new();
    published.survey.manifest.paper = 2;
    let drawn: Vec<_> = (0..2).map(|_| published.survey.credential()).collect();
    published.paper = Slips::new(drawn.iter().map(Credential::slip));
    published.voided = published.paper.voided();
    published.outers.extend(drawn.iter().map(|slip| published.survey.cast(slip, [2, 2], 0)));
    published.box_leaves = published.outers.iter().map(box_leaf).collect();
    let count = published.count();
    assert_eq!((count.ballots.len(), count.junk.len(), count.withheld.len()), (24, 1, 0));
    let bundle = published.publish(count);
    assert_eq!(failed(&bundle), []);
    // Somebody uses a voided slip's ballot under a tag of her own: counted it is not, and shown to nobody.
    let mut other = published.survey.credential();
    let Credential { ballot_key, pa, sa, pb, sb, .. } = drawn[0].clone();
    other = Credential { ballot_key, pa, sa, pb, sb, ..other };
    published.outers.push(published.survey.cast(&other, [2, 2], 0));
    published.box_leaves = published.outers.iter().map(box_leaf).collect();
    let count = published.count();
    assert_eq!((count.ballots.len(), count.junk.len(), count.withheld.len()), (24, 1, 1));
}

#[test]
fn a_slip_that_was_thrown_in_twice_is_noticed() {
    let mut published = Published::new();
    published.survey.manifest.paper = 1;
    let drawn = published.survey.credential();
    published.paper = Slips::new([drawn.slip()]);
    published.outers.extend([0, 1].map(|revision| published.survey.cast(&drawn, [2, 2], revision)));
    published.box_leaves = published.outers.iter().map(box_leaf).collect();
    assert_eq!(failed(&published.publish(published.count())), [V11]);
}

#[test]
fn only_who_holds_a_slip_can_say_that_nobody_drew_it() {
    let published = Published::new();
    let (slip, other) = (published.survey.credential(), published.survey.credential());
    let sid = published.survey.manifest.sid;
    let held = slip.unused();
    assert!(held.is_held(&sid) && !held.is_held(&Hex([9; 16])));
    let mut picked = held.clone();
    picked.tag = other.slip().1.tag;
    assert!(!picked.is_held(&sid));
    let mut halved = held;
    halved.tag_signature = halved.pk_signature;
    assert!(!halved.is_held(&sid));
}

#[test]
fn unequal_keys_for_one_purpose_are_no_keys() {
    let mut published = Published::new();
    let count = published.count();
    published.survey.manifest.keys.b = published.survey.manifest.keys.a;
    assert!(failed(&published.publish(count)).contains(&V6));
}

impl Published {
    /// The count without what was logged but never thrown in.
    fn count_without_new(&self) -> qingfeng_ballots::count::Count {
        let thrown: Vec<_> = self.outers.iter().map(box_leaf).collect();
        let known: Vec<Leaf> = self.box_leaves.iter().filter(|leaf| thrown.contains(leaf)).cloned().collect();
        let survey = &self.survey;
        let envelopes = self.envelopes();
        let count = qingfeng_ballots::count::count(
            &survey.manifest,
            &survey.keys,
            &known,
            &envelopes,
            &Voided::default(),
            &survey.box_key,
        );
        count.unwrap()
    }
}

use proptest::prelude::*;
use qingfeng_ballots::{
    Hex,
    answers::Answers,
    ballot::{Ballot, Invalid},
    envelope::{PLAINTEXT_LENGTH, unpad},
};

use crate::survey::{Survey, answered};

#[test]
fn a_ballot_is_cast_opened_and_found_valid() {
    let survey = Survey::with_residents(3);
    let outer = survey.cast(&survey.credential(), [3, 0], 0);
    let opened = survey.box_key.open(outer.env.as_slice()).unwrap();
    let ballot = Ballot::parse(unpad(opened.plaintext.as_deref().unwrap()).unwrap()).unwrap();
    assert_eq!(ballot.check(&survey.manifest, &survey.keys), Ok(()));
    assert_eq!(ballot.ans, answered([3, 0]));
}

#[test]
fn the_longest_ballot_fits_into_an_envelope() {
    let survey = Survey::with_residents(3);
    let answers = Answers((0..8).map(|number| (format!("question1234567{number}"), 20)).collect());
    assert!(survey.credential().ballot(answers).to_bytes().len() <= PLAINTEXT_LENGTH - 4);
}

#[test]
fn a_ballot_needs_both_authorities_the_ballot_key_and_fitting_answers() {
    let survey = Survey::with_residents(3);
    let (mine, stolen) = (survey.credential(), survey.credential());
    let check = |ballot: &Ballot| ballot.check(&survey.manifest, &survey.keys);
    let good = mine.ballot(answered([1, 2]));
    assert_eq!(check(&good), Ok(()));

    let only_platform = Ballot { sb: good.sa, pb: good.pa, ..good.clone() };
    assert_eq!(check(&only_platform), Err(Invalid::Credential));
    let only_cosigner = Ballot { sa: good.sb, pa: good.pb, ..good.clone() };
    assert_eq!(check(&only_cosigner), Err(Invalid::Credential));
    // Somebody else's credential fits only her ballot key, and only she can sign with that.
    let other = stolen.ballot(answered([1, 1]));
    assert_eq!(check(&Ballot { pk: other.pk, ..good.clone() }), Err(Invalid::Credential));
    let forged = Ballot { pk: other.pk, pa: other.pa, sa: other.sa, pb: other.pb, sb: other.sb, ..good.clone() };
    assert_eq!(check(&forged), Err(Invalid::Signature));
    assert_eq!(check(&Ballot { ans: answered([3, 2]), ..good.clone() }), Err(Invalid::Signature));

    let mut foreign = survey.manifest.clone();
    foreign.sid = Hex([6; 16]);
    assert_eq!(good.check(&foreign, &survey.keys), Err(Invalid::Credential));
    assert_eq!(check(&mine.ballot(answered([4, 1]))), Err(Invalid::Answers));
    assert_eq!(check(&mine.ballot(Answers([("q1".to_owned(), 1)].into()))), Err(Invalid::Answers));
    let unasked = Answers([("q1".to_owned(), 1), ("q3".to_owned(), 1)].into());
    assert_eq!(check(&mine.ballot(unasked)), Err(Invalid::Answers));
}

#[test]
fn a_key_of_small_order_signs_nothing() {
    let survey = Survey::with_residents(3);
    let mut ballot = survey.credential().ballot(answered([1, 1]));
    // The neutral element: with a lax check, this signature holds for every message.
    let mut neutral = Hex([0; 32]);
    neutral.0[0] = 1;
    let mut signature = Hex([0; 64]);
    signature.0[0] = 1;
    (ballot.pk, ballot.sig) = (neutral, signature);
    assert!(!ballot.is_signed(&survey.manifest.sid));
}

#[test]
fn another_spelling_or_a_sequence_of_its_own_is_no_ballot() {
    let survey = Survey::with_residents(3);
    let ballot = survey.credential().ballot(answered([1, 1]));
    let text = String::from_utf8(ballot.to_bytes()).unwrap();
    assert_eq!(Ballot::parse(text.as_bytes()), Ok(ballot.clone()));
    for other in [
        text.replace("\"q1\":1", "\"q1\": 1"),
        text.replace("\"v\":1", "\"v\":1,\"when\":0"),
        text.replace("\"v\":1", "\"v\":2"),
        text.replace("\"seq\":0", "\"seq\":1"),
        text.replace("\"q1\":1", "\"q1\":256"),
        text.to_uppercase(),
    ] {
        assert_eq!(Ballot::parse(other.as_bytes()), Err(Invalid::Form), "{other}");
    }
}

proptest! {
    #[test]
    fn hostile_contents_are_refused_and_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), text in ".{0,200}") {
        prop_assert!(Ballot::parse(&bytes).is_err());
        prop_assert!(Ballot::parse(text.as_bytes()).is_err());
    }
}

use proptest::prelude::*;
use qingfeng_ballots::{
    Hex,
    outer::{MOST_REVISIONS, Outer, OuterRefusal},
};

use crate::survey::Survey;

#[test]
fn what_comes_in_has_one_size_and_one_spelling() {
    let survey = Survey::with_residents(3);
    let credential = survey.credential();
    for (answers, revision) in [([1, 1], 0), ([3, 0], MOST_REVISIONS - 1)] {
        let outer = survey.cast(&credential, answers, revision);
        let bytes = outer.to_bytes();
        assert_eq!(bytes.len(), Outer::LENGTH);
        assert_eq!(Outer::parse(&bytes), Ok(outer));
    }
    let good = survey.cast(&credential, [1, 1], 0).to_bytes();
    assert_eq!(Outer::parse(&good[..good.len() - 1]), Err(OuterRefusal::Form));
    let spaced = String::from_utf8(good).unwrap().replacen("\"seq\":0", "\"seq\":\u{20}", 1);
    assert_eq!(Outer::parse(spaced.as_bytes()), Err(OuterRefusal::Form));
}

#[test]
fn the_box_takes_only_envelopes_with_a_ticket_signed_by_their_tag_and_newer_than_the_last() {
    let survey = Survey::with_residents(3);
    let (mine, other) = (survey.credential(), survey.credential());
    let admit = |outer: &Outer, held| outer.admit(&survey.manifest.sid, &survey.keys.d, held);
    let good = survey.cast(&mine, [1, 1], 2);
    assert_eq!(admit(&good, None), Ok(()));
    assert_eq!(admit(&good, Some(1)), Ok(()));
    assert_eq!(admit(&good, Some(2)), Err(OuterRefusal::StaleSequence));
    assert_eq!(admit(&good, Some(3)), Err(OuterRefusal::StaleSequence));

    let foreign = survey.cast(&other, [1, 1], 0);
    assert_eq!(admit(&Outer { tag: foreign.tag, ..good.clone() }, None), Err(OuterRefusal::Ticket), "a foreign tag");
    let stolen = Outer { tag: foreign.tag, prefix: foreign.prefix, sig: foreign.sig, ..good.clone() };
    assert_eq!(admit(&stolen, None), Err(OuterRefusal::Signature), "a stolen ticket");
    assert_eq!(admit(&Outer { seq: 3, ..good.clone() }, None), Err(OuterRefusal::Signature), "a changed revision");
    let exchanged = Outer { env: foreign.env, ..good.clone() };
    assert_eq!(admit(&exchanged, None), Err(OuterRefusal::Signature), "an exchanged envelope");
    assert_eq!(admit(&Outer { sid: Hex([9; 16]), ..good }, None), Err(OuterRefusal::ForeignSurvey));
    let flood = survey.cast(&mine, [1, 1], MOST_REVISIONS);
    assert_eq!(admit(&flood, None), Err(OuterRefusal::TooManyRevisions));
}

proptest! {
    #[test]
    fn hostile_bytes_are_refused_and_never_panic(bytes in proptest::collection::vec(any::<u8>(), Outer::LENGTH - 1..Outer::LENGTH + 2)) {
        prop_assert_eq!(Outer::parse(&bytes), Err(OuterRefusal::Form));
    }
}

use std::collections::BTreeMap;

use chrono::NaiveDate;
use qingfeng_ballots::publication::{Tally, Thresholds, totals};

use super::*;
use crate::sealed_surveys::{
    planning::NotHeld,
    questionnaires::{Questionnaire, find},
    suppression::CountedBox,
};

const THRESHOLDS: Thresholds = Thresholds { k_min: 10, q_min: 5, l2_min: 20 };

fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 7, 1).unwrap()
}

/// A box of whose questions each was answered like this.
fn counted(questionnaire: &Questionnaire, group: RosterGroup, eligible: u32, counts: &[u32]) -> CountedBox {
    let ballots = counts.iter().sum();
    let tally: BTreeMap<_, _> =
        questionnaire.questions.iter().map(|item| (item.key.clone(), counts.to_vec())).collect();
    let tally = Tally(tally);
    CountedBox {
        group,
        eligible,
        issued: ballots + 1,
        ballots,
        junk: 0,
        unopenable: 0,
        withheld: 0,
        paper: None,
        totals: totals(&tally, ballots, THRESHOLDS),
        tally: (ballots >= THRESHOLDS.k_min).then_some(tally),
    }
}

fn unit(name: &'static str, boxes: Vec<CountedBox>) -> Unit<&'static str> {
    Unit { key: name, label: name.into(), name: name.into(), boxes }
}

fn sheet(
    questionnaire: &Questionnaire,
    units: Vec<Unit<&'static str>>,
    sum: Option<&'static str>,
) -> (Head, Vec<(&'static str, Row)>) {
    sheet_without(questionnaire, units, sum, &[])
}

fn sheet_without(
    questionnaire: &Questionnaire,
    units: Vec<Unit<&'static str>>,
    sum: Option<&'static str>,
    not_held: &[NotHeld],
) -> (Head, Vec<(&'static str, Row)>) {
    let formula = questionnaire.check().unwrap();
    let evaluated = Evaluated { label: "全镇".into(), units, sum };
    make(questionnaire, formula, 10, today(), vec![evaluated], not_held, |_| None)
}

fn shown(score: Option<Hundredths>) -> String {
    score.map_or_else(|| "-".into(), |score| score.to_string())
}

use RosterGroup::{PartyMember, Representative, Resident};

#[test]
fn a_cadres_sheet_has_counts_rates_score_and_proposal_by_groups() {
    let questionnaire = find("cadre_evaluation").unwrap();
    let boxes = vec![
        counted(questionnaire, PartyMember, 30, &[0, 20, 5, 0, 0]),
        counted(questionnaire, Representative, 30, &[1, 10, 6, 3, 1]),
        counted(questionnaire, Resident, 60, &[0, 20, 20, 0, 0]),
    ];
    let (head, rows) = sheet(questionnaire, vec![unit("东河村书记", boxes)], None);
    let [(_, row)] = rows.as_slice() else { panic!("one row") };
    insta::assert_json_snapshot!("cadre_head", head);
    let mut short = row.clone();
    short.questions.truncate(1);
    short.groups.iter_mut().for_each(|group| group.counts.truncate(1));
    insta::assert_json_snapshot!("cadre_row", short);
    // 0.3 × 96 + 0.3 × 85 + 0.4 × 90
    assert_eq!(shown(row.score), "90.30");
}

#[test]
fn a_group_with_few_ballots_leaves_no_trace_but_its_note() {
    let questionnaire = find("cadre_evaluation").unwrap();
    let boxes = |few: &[u32]| {
        vec![counted(questionnaire, Resident, 40, &[0, 20, 20, 0, 0]), counted(questionnaire, PartyMember, 30, few)]
    };
    let row = |few: &[u32]| sheet(questionnaire, vec![unit("东河村书记", boxes(few))], None).1.remove(0).1;
    let row_of_good = row(&[0, 9, 0, 0, 0]);
    // Whatever the nine said: the sheet is the same to the letter.
    assert_eq!(row_of_good, row(&[0, 0, 0, 0, 9]));
    assert_eq!(shown(row_of_good.score), "90.00");
    assert_eq!((row_of_good.issued, row_of_good.ballots), (None, None));
    let party = &row_of_good.groups[0];
    assert_eq!((party.group, party.issued, party.ballots, party.score), (PartyMember, None, None, None));
    assert_eq!(row_of_good.notes.len(), 3, "{:?}", row_of_good.notes);
    // Also not that one more or fewer took part, as long as it is valid.
    assert_eq!(row_of_good, row(&[0, 4, 0, 0, 0]));
}

#[test]
fn nothing_of_a_row_tells_of_a_box_of_few() {
    let questionnaire = find("cadre_evaluation").unwrap();
    let row = |few: CountedBox| {
        let many = counted(questionnaire, Resident, 55, &[0, 20, 20, 0, 0]);
        sheet(questionnaire, vec![unit("东河村书记", vec![many, few])], None).1.remove(0).1
    };
    let of = |counts: &[u32], unopenable, withheld| {
        let few = counted(questionnaire, PartyMember, 30, counts);
        row(CountedBox { unopenable, withheld, ..few })
    };
    // Nine would reach the quorum, none would not; envelopes that nobody opens would be contested.
    let full = of(&[0, 9, 0, 0, 0], 0, 0);
    assert_eq!(full, of(&[], 3, 2));
    assert_eq!(
        (full.is_valid, full.unopenable, full.withheld, full.is_contested),
        (Some(false), Some(0), Some(0), false)
    );
    let alone = counted(questionnaire, Resident, 30, &[0, 9, 0, 0, 0]);
    let alone = sheet(questionnaire, vec![unit("东河村书记", vec![alone])], None).1.remove(0).1;
    assert_eq!((alone.is_valid, alone.unopenable, alone.withheld), (None, None, None));
}

#[test]
fn a_group_that_was_not_asked_is_named_with_its_reason() {
    let questionnaire = find("cadre_evaluation").unwrap();
    let boxes = vec![counted(questionnaire, Resident, 40, &[0, 20, 20, 0, 0])];
    let too_small = |unit_name: &str, class| NotHeld {
        unit_name: unit_name.into(),
        class,
        evaluatee: None,
        staff: None,
        organization: None,
        eligible: 6,
    };
    let not_held = [too_small("东河村书记", PartyMember), too_small("西坡村", Representative)];
    let row = sheet_without(questionnaire, vec![unit("东河村书记", boxes)], None, &not_held).1.remove(0).1;
    assert_eq!(
        row.notes,
        [
            "党员人数不足30，没有测评，权重按比例分给其他票种。",
            "村民代表在这里没有单独的票箱，权重按比例分给其他票种。"
        ]
    );
    assert_eq!(shown(row.score), "90.00");
}

#[test]
fn below_the_quorum_there_are_counts_and_nothing_else() {
    let questionnaire = find("cadre_evaluation").unwrap();
    let boxes = vec![counted(questionnaire, Resident, 81, &[0, 20, 20, 0, 0])];
    let row = sheet(questionnaire, vec![unit("东河村书记", boxes)], None).1.remove(0).1;
    assert!(row.is_valid == Some(false) && row.score.is_none() && row.proposed_grade.is_none() && row.rank.is_none());
    assert_eq!(row.questions[0].counts, Some(vec![0, 20, 20, 0, 0]));
    assert!(row.questions.iter().all(|line| line.rates.is_empty() && line.score.is_none()));
    assert!(row.groups.iter().all(|group| group.score.is_none()));
    let enough = vec![counted(questionnaire, Resident, 80, &[0, 20, 20, 0, 0])];
    assert!(sheet(questionnaire, vec![unit("东河村书记", enough)], None).1[0].1.is_valid == Some(true));
}

#[test]
fn more_than_one_envelope_in_a_hundred_that_nobody_opens_is_contested() {
    let questionnaire = find("cadre_evaluation").unwrap();
    let with = |unopenable, withheld| {
        let mut one = counted(questionnaire, Resident, 120, &[0, 98, 0, 0, 0]);
        (one.unopenable, one.withheld) = (unopenable, withheld);
        sheet(questionnaire, vec![unit("东河村书记", vec![one])], None).1.remove(0).1
    };
    let few = with(0, 0);
    assert!(!few.is_contested && few.proposed_grade.as_deref() == Some("优秀"));
    // One of ninety-nine is more than one in a hundred.
    let contested = with(1, 0);
    assert!(contested.is_contested && contested.proposed_grade.is_none());
    assert_eq!((contested.unopenable, contested.withheld, shown(contested.score)), (Some(1), Some(0), "100.00".into()));
    assert!(with(0, 1).is_contested);
}

#[test]
fn one_envelope_that_could_decide_the_grade_or_the_quorum_is_enough_to_contest_it() {
    let questionnaire = find("cadre_evaluation").unwrap();
    let with = |counts: [u32; 5], eligible, unopenable| {
        let mut one = counted(questionnaire, Resident, eligible, &counts);
        one.unopenable = unopenable;
        sheet(questionnaire, vec![unit("东河村书记", vec![one])], None).1.remove(0).1
    };
    // Nine in ten make the best grade; one more who says otherwise unmakes it.
    let known = with([0, 180, 20, 0, 0], 220, 0);
    assert!(!known.is_contested && known.proposed_grade.as_deref() == Some("优秀"));
    let decided = with([0, 180, 20, 0, 0], 220, 1);
    assert!(decided.is_contested && decided.proposed_grade.is_none());
    assert!(decided.notes.iter().any(|note| note.contains("左右")), "{:?}", decided.notes);
    let far_off = with([0, 195, 5, 0, 0], 220, 1);
    assert!(!far_off.is_contested && far_off.proposed_grade.as_deref() == Some("优秀"));
    // Half of the electors make the quorum: with the one that stays shut they would be half.
    let (short, shorter) = (with([0, 120, 79, 0, 0], 400, 1), with([0, 120, 78, 0, 0], 400, 1));
    assert!(short.is_valid == Some(false) && short.is_contested);
    assert!(shorter.is_valid == Some(false) && !shorter.is_contested);
}

#[test]
fn one_envelope_that_could_decide_the_rank_contests_its_own_row_only() {
    let questionnaire = find("public_satisfaction").unwrap();
    let village = |name, counts: &[u32], unopenable| {
        let mut one = counted(questionnaire, Resident, 400, counts);
        one.unopenable = unopenable;
        unit(name, vec![one])
    };
    let ranked = |unopenable| {
        let units = vec![
            village("甲村", &[0, 100, 60, 40, 0], unopenable),
            village("乙村", &[0, 101, 60, 40, 0], 0),
            village("丙村", &[0, 180, 20, 0, 0], 0),
        ];
        let (_, mut rows) = sheet(questionnaire, units, None);
        rows.sort_by_key(|(name, _)| *name);
        rows.into_iter().map(|(name, row)| (name, row.rank, row.is_contested)).collect::<Vec<_>>()
    };
    let known: Vec<_> = ranked(0).into_iter().map(|(name, rank, _)| (name, rank)).collect();
    assert_eq!(known, [("丙村", Some(1)), ("乙村", Some(2)), ("甲村", Some(3))]);
    let contested = ranked(1);
    assert_eq!(contested, [("丙村", Some(1), false), ("乙村", Some(2), false), ("甲村", None, true)]);
}

#[test]
fn ties_share_a_rank_and_who_has_no_score_comes_last_in_neutral_order() {
    let questionnaire = find("public_satisfaction").unwrap();
    let village = |name, counts: &[u32]| unit(name, vec![counted(questionnaire, Resident, 100, counts)]);
    let units = vec![
        village("甲村", &[0, 3, 0, 0, 0]),
        village("乙村", &[0, 10, 10, 0, 0]),
        village("丙村", &[0, 20, 0, 0, 0]),
        village("丁村", &[0, 1, 4, 0, 0]),
        village("戊村", &[0, 15, 15, 0, 9]),
        village("己村", &[0, 0, 0, 30, 0]),
    ];
    let (_, rows) = sheet(questionnaire, units, Some("全镇"));
    let lines: Vec<_> = rows
        .iter()
        .map(|(key, row)| {
            format!("{key} {} {}", row.rank.map_or("-".into(), |rank| rank.to_string()), shown(row.score))
        })
        .collect();
    insta::assert_snapshot!("ranking", lines.join("\n"));
}

#[test]
fn one_village_alone_is_not_the_first() {
    let questionnaire = find("public_satisfaction").unwrap();
    let units = vec![unit("甲村", vec![counted(questionnaire, Resident, 100, &[0, 20, 5, 5, 0])])];
    let (_, rows) = sheet(questionnaire, units, None);
    assert_eq!((rows.len(), rows[0].1.rank), (1, None));
}

#[test]
fn the_township_is_left_out_where_a_village_could_be_subtracted() {
    let questionnaire = find("public_satisfaction").unwrap();
    let village = |name, counts: &[u32]| unit(name, vec![counted(questionnaire, Resident, 100, counts)]);
    // Twelve ballots, of which four say something: the box tells nothing of it.
    let units = || vec![village("甲村", &[0, 20, 10, 0, 0]), village("乙村", &[8, 4, 0, 0, 0])];
    let (_, rows) = sheet(questionnaire, units(), Some("全镇"));
    let sum = &rows[2].1;
    assert!(sum.is_sum && sum.questions.iter().all(|line| line.counts.is_none()));
    // The score is made of what is published.
    assert_eq!(sum.score, rows[0].1.score);
    let mut three = units();
    three.push(village("丙村", &[8, 0, 6, 0, 0]));
    let (_, rows) = sheet(questionnaire, three, Some("全镇"));
    assert_eq!(rows[3].1.questions[0].counts, None, "four can be subtracted from the published six and thirty");
    let mut hidden = units();
    hidden.push(village("丙村", &[10, 0, 0, 3, 0]));
    hidden.push(village("丁村", &[10, 0, 0, 3, 0]));
    let (_, rows) = sheet(questionnaire, hidden, Some("全镇"));
    assert_eq!(rows[4].1.questions[0].counts, Some(vec![28, 24, 10, 6, 0]), "ten of three villages hide one another");
}

#[test]
fn a_third_of_the_ticks_is_a_hint_and_never_a_score() {
    let questionnaire = find("negative_list").unwrap();
    let row = |counts: &[u32]| {
        let boxes = vec![counted(questionnaire, Resident, 100, counts)];
        sheet(questionnaire, vec![unit("东河村书记", boxes)], None).1.remove(0).1
    };
    let (third, less) = (row(&[0, 10, 20, 30]), row(&[0, 9, 20, 30]));
    assert!(third.questions.iter().all(|line| line.is_to_be_checked && line.score.is_none()));
    assert!(less.questions.iter().all(|line| !line.is_to_be_checked));
    assert_eq!((third.score, third.rank, third.proposed_grade), (None, None, None));
}

#[test]
fn the_last_round_is_compared_only_when_it_was_made_alike() {
    let questionnaire = find("public_satisfaction").unwrap();
    let units = vec![unit("甲村", vec![counted(questionnaire, Resident, 100, &[0, 20, 10, 0, 0])])];
    let evaluated = || vec![Evaluated { label: "甲村".into(), units: units.clone(), sum: None }];
    let formula = questionnaire.check().unwrap();
    let last = |is_comparable, score| {
        let last = move |_: &&str| Some(LastRound { published_on: today(), score, is_comparable });
        make(questionnaire, formula, 10, today(), evaluated(), &[], last).1.remove(0).1.previous.unwrap()
    };
    assert_eq!(last(true, Some(Hundredths(9_250))).change, Some(Hundredths(-250)));
    assert_eq!(last(false, Some(Hundredths(9_250))).change, None);
    assert_eq!(last(true, None).change, None);
}

#[test]
fn made_again_from_the_same_counts_the_sheet_is_the_same() {
    let questionnaire = find("department_rating").unwrap();
    let units = || {
        let village = |name, counts: &[u32]| unit(name, vec![counted(questionnaire, Representative, 40, counts)]);
        vec![village("甲村", &[0, 12, 5, 3, 1]), village("乙村", &[2, 7, 7, 7, 7])]
    };
    let once = sheet(questionnaire, units(), Some("全镇"));
    assert_eq!(once, sheet(questionnaire, units(), Some("全镇")));
    let kept = serde_json::to_value(&once.1[0].1).unwrap();
    assert_eq!(serde_json::from_value::<Row>(kept).unwrap(), once.1[0].1);
}

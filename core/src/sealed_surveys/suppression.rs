//! Which sums over ballot boxes may be shown.
//!
//! A box's totals stand in its signed bundle or they do not; the sums above it — a village over its groups of electors, the
//! township over its villages — are left out wherever boxes and other sums, subtracted from them, would tell of few. For
//! each question by itself, since each has its own number of answers, and for taking part as such. Scores are made of
//! published boxes only and tell nothing new; rounds of different years are different answers.

use qingfeng_ballots::publication::{Node, Tally, Totals, roll_ups};

use crate::people::RosterGroup;

/// What came out of one box.
#[derive(Clone, Debug)]
pub struct CountedBox {
    pub group: RosterGroup,
    pub eligible: u32,
    /// Credentials and slips given out.
    pub issued: u32,
    pub ballots: u32,
    /// Opened for everybody, since they were no ballots.
    pub junk: u32,
    pub unopenable: u32,
    pub withheld: u32,
    pub paper: Option<PaperAccount>,
    /// As in the bundle.
    pub totals: Totals,
    /// Every answer, also of questions that the totals leave out; none where nothing was opened.
    pub tally: Option<Tally>,
}

/// Where the paper slips went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[schema(as = SealedSurveyPaper)]
pub struct PaperAccount {
    pub printed: u32,
    pub drawn: u32,
    pub returned: u32,
    pub spoiled: u32,
    /// Neither drawn nor left in the bag.
    #[serde(default)]
    pub lost: u32,
    /// Whether more came back, were used or were drawn than there may be: then every slip is void.
    pub is_voided: bool,
}

impl CountedBox {
    /// The question's counts as published, from "no answer" on.
    #[must_use]
    pub fn published(&self, question: &str) -> Option<&[u32]> {
        self.totals.questions.get(question)?.as_deref()
    }

    /// Whether anything of it is published but its existence.
    fn is_published(&self) -> bool {
        self.totals.questions.values().any(Option::is_some)
    }

    fn counts(&self, question: &str) -> Option<&[u32]> {
        self.tally.as_ref()?.0.get(question).map(Vec::as_slice)
    }
}

/// The boxes of one subject: of each unit one per group of electors.
#[derive(Clone, Debug, Default)]
pub struct Boxes {
    pub units: Vec<Vec<CountedBox>>,
}

/// Which sums may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Over all units.
    pub whole: bool,
    /// Over the groups of each unit.
    pub units: Vec<bool>,
}

impl Boxes {
    /// Whose answers to the question may be added up, over the boxes that were opened.
    #[must_use]
    pub fn sums_of(&self, question: &str, k_min: u32) -> Shown {
        self.shown(k_min, |one| {
            let answers = one.counts(question)?.iter().skip(1).sum();
            Some((one.ballots, answers, one.published(question).is_some()))
        })
    }

    /// Whether it may be said how many took part. Few who took part are few, whatever they said; and that it was nobody is
    /// not told of a box either of which otherwise nothing is told.
    #[must_use]
    pub fn sums_of_participants(&self, k_min: u32) -> Shown {
        self.shown(k_min, |one| {
            let is_published = one.is_published();
            Some((one.issued.max(one.ballots).max(u32::from(!is_published)), one.ballots, is_published))
        })
    }

    fn shown(&self, k_min: u32, people: impl Fn(&CountedBox) -> Option<(u32, u32, bool)>) -> Shown {
        let single = self.units.len() == 1;
        let mut nodes = vec![Node::RollUp { above: None }];
        let mut sums = Vec::with_capacity(self.units.len());
        for boxes in &self.units {
            // The sum over one unit is the unit's.
            let above = if single { 0 } else { nodes.len() };
            if !single {
                nodes.push(Node::RollUp { above: Some(0) });
            }
            sums.push(above);
            let of_box = |(people, answers, is_published)| Node::Box { above, people, answers, is_published };
            nodes.extend(boxes.iter().filter_map(&people).map(of_box));
        }
        let shown = roll_ups(&nodes, k_min).expect("units under one root and boxes under units are a tree");
        Shown { whole: shown.contains(&0), units: sums.iter().map(|sum| shown.contains(sum)).collect() }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use qingfeng_ballots::publication::{Thresholds, totals};

    use super::*;

    const THRESHOLDS: Thresholds = Thresholds { k_min: 10, q_min: 5, l2_min: 20 };

    /// A box whose voters answered the questions like this; fewer than ten are never opened.
    fn counted(group: RosterGroup, questions: &[&[u32]]) -> CountedBox {
        let ballots = questions[0].iter().sum();
        let keys = ["q1", "q2"].into_iter().map(str::to_owned);
        let tally = Tally(keys.zip(questions.iter().map(|counts| counts.to_vec())).collect());
        CountedBox {
            group,
            eligible: 40,
            issued: ballots,
            ballots,
            junk: 0,
            unopenable: 0,
            withheld: 0,
            paper: None,
            totals: totals(&tally, ballots, THRESHOLDS),
            tally: (ballots >= THRESHOLDS.k_min).then_some(tally),
        }
    }

    use RosterGroup::{PartyMember, Representative, Resident};

    #[test]
    fn a_question_with_few_answers_in_one_box_has_no_sum_and_the_others_have() {
        let village = vec![
            counted(Resident, &[&[0, 20, 10], &[5, 15, 10]]),
            // Twelve ballots; three of them answered the second question.
            counted(PartyMember, &[&[0, 6, 6], &[9, 2, 1]]),
        ];
        let boxes = Boxes { units: vec![village] };
        assert_eq!(boxes.sums_of("q1", 10), Shown { whole: true, units: vec![true] });
        assert_eq!(boxes.sums_of("q2", 10), Shown { whole: false, units: vec![false] });
        assert_eq!(boxes.sums_of_participants(10), Shown { whole: true, units: vec![true] });
    }

    #[test]
    fn two_boxes_with_few_answers_hide_each_other_in_the_township_not_in_the_village() {
        let village = |few: &[u32]| vec![counted(Resident, &[&[0, 20, 10]]), counted(Representative, &[few])];
        // Seven ballots with four answers each would be too few of either; both together are eight of twenty-two.
        let boxes = Boxes { units: vec![village(&[8, 2, 2]), village(&[7, 2, 2])] };
        assert_eq!(boxes.sums_of("q1", 10).units, [false, false]);
        assert!(!boxes.sums_of("q1", 10).whole);
        let three = Boxes { units: vec![village(&[8, 2, 2]), village(&[7, 2, 2]), village(&[9, 1, 1])] };
        assert_eq!(three.sums_of("q1", 10), Shown { whole: true, units: vec![false; 3] });
    }

    #[test]
    fn how_many_took_part_is_not_said_of_few() {
        let village = vec![counted(Resident, &[&[0, 20, 10]]), counted(PartyMember, &[&[0, 3, 1]])];
        let boxes = Boxes { units: vec![village, vec![counted(Resident, &[&[0, 30, 10]])]] };
        assert_eq!(boxes.sums_of_participants(10), Shown { whole: false, units: vec![false, true] });
        // A box that was not opened is in no sum of answers.
        assert_eq!(boxes.sums_of("q1", 10), Shown { whole: true, units: vec![true, true] });
    }

    #[test]
    fn who_asked_for_a_credential_and_threw_nothing_in_is_not_told_of_either() {
        for issued in [0, 2, 12] {
            let mut none = counted(PartyMember, &[&[0, 0, 0]]);
            none.issued = issued;
            let boxes = Boxes { units: vec![vec![counted(Resident, &[&[0, 20, 10]]), none]] };
            assert!(!boxes.sums_of_participants(10).whole, "{issued}");
        }
    }

    /// The value of each option that the attacker can tell for a set of boxes, found by brute force: every set of boxes
    /// whose sum follows from published boxes and shown sums. Here the sums are disjoint or nested, so that it is enough to
    /// subtract from each shown sum the published boxes and shown sums inside it.
    fn rests(boxes: &Boxes, question: &str, shown: &Shown) -> Vec<(u32, u32)> {
        let rest = |units: &[usize]| {
            let unpublished = units
                .iter()
                .flat_map(|unit| &boxes.units[*unit])
                .filter(|one| one.tally.is_some() && one.published(question).is_none());
            unpublished.fold((0, 0), |(people, answers), one| {
                let real: u32 = one.counts(question).unwrap().iter().skip(1).sum();
                (people + one.ballots, answers + real)
            })
        };
        let all: Vec<_> = (0..boxes.units.len()).collect();
        let (told, untold): (Vec<_>, Vec<_>) = all.iter().partition(|unit| shown.units[**unit]);
        let whole = if all.len() == 1 { &all } else { &untold };
        told.iter().map(|unit| rest(&[*unit])).chain(shown.whole.then(|| rest(whole))).collect()
    }

    proptest! {
        #[test]
        fn whatever_is_shown_nothing_is_left_over_that_tells_of_few(
            villages in proptest::collection::vec(proptest::collection::vec([0..30u32, 0..8u32, 0..30u32], 1..4), 1..6),
        ) {
            let groups = [Resident, PartyMember, Representative];
            let village = |boxes: &Vec<[u32; 3]>| {
                boxes.iter().zip(groups).map(|(counts, group)| counted(group, &[counts])).collect()
            };
            let boxes = Boxes { units: villages.iter().map(village).collect() };
            let shown = boxes.sums_of("q1", 10);
            for (people, answers) in rests(&boxes, "q1", &shown) {
                prop_assert!(people == 0 || answers >= 10, "{answers} of {people}: {shown:?}");
            }
            // And where every opened box is published, nothing has to go.
            let all = boxes.units.iter().flatten().all(|one| one.tally.is_none() || one.published("q1").is_some());
            if all {
                prop_assert!(shown.whole && shown.units.iter().all(|unit| *unit));
            }
        }
    }

    #[test]
    fn a_box_without_totals_has_nothing_published() {
        let few = counted(Resident, &[&[0, 3, 1]]);
        assert_eq!((few.published("q1"), few.published("none"), few.is_published()), (None, None, false));
        assert_eq!(few.totals.questions, BTreeMap::from([("q1".into(), None)]));
    }
}

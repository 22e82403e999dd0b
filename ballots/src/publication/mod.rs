//! What may be published (survey protocol §7): small groups stay hidden, also from those who can subtract.

#[cfg(test)]
mod oracle;
mod roll_ups;
mod tree;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use roll_ups::{Node, roll_ups};
pub use tree::{BadTree, Unit, published};

use crate::{
    answers::{Answers, Question},
    close::Publication,
    manifest::Manifest,
};

/// Fewest answers for which anything is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thresholds {
    /// Ballots of a unit: vendors use three to five; a village gossips.
    pub k_min: u32,
    /// Real answers of a question.
    pub q_min: u32,
    /// Ballots for which the rows themselves are published.
    pub l2_min: u32,
}

impl From<&Manifest> for Thresholds {
    fn from(manifest: &Manifest) -> Self {
        Self { k_min: manifest.k_min, q_min: manifest.q_min, l2_min: manifest.l2_min }
    }
}

/// How often each option of each question was chosen; position zero counts those who gave no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally(pub BTreeMap<String, Vec<u32>>);

impl Tally {
    /// Counts answers that fit the questions.
    #[must_use]
    pub fn of<'a>(questions: &[Question], answers: impl IntoIterator<Item = &'a Answers>) -> Self {
        let mut tally: BTreeMap<_, _> =
            questions.iter().map(|question| (question.key.clone(), vec![0; question.options.len() + 1])).collect();
        for (key, chosen) in answers.into_iter().flat_map(|answers| &answers.0) {
            if let Some(count) = tally.get_mut(key).and_then(|counts| counts.get_mut(usize::from(*chosen))) {
                *count += 1;
            }
        }
        Self(tally)
    }
}

/// The totals as published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Totals {
    pub v: u8,
    /// Always told: the log shows it anyway.
    pub ballots: u64,
    /// Counts by question, from "no answer" on; nothing where there are too few.
    pub questions: BTreeMap<String, Option<Vec<u32>>>,
}

/// Totals with what is too few left out.
#[must_use]
pub fn totals(tally: &Tally, ballots: u32, thresholds: Thresholds) -> Totals {
    let shown = |counts: &Vec<u32>| {
        let real: u32 = counts.iter().skip(1).sum();
        (ballots >= thresholds.k_min && real >= thresholds.q_min).then(|| counts.clone())
    };
    let questions = tally.0.iter().map(|(key, counts)| (key.clone(), shown(counts))).collect();
    Totals { v: 1, ballots: ballots.into(), questions }
}

/// How much may be published: every row only with enough ballots, when every question has enough real answers and none
/// was answered by all alike (then everybody is known to have said it, and with what else she said).
#[must_use]
pub fn publication(tally: &Tally, ballots: u32, thresholds: Thresholds) -> Publication {
    let enough = |counts: &Vec<u32>| counts.iter().skip(1).sum::<u32>() >= thresholds.q_min;
    if ballots < thresholds.k_min {
        Publication::Count
    } else if ballots >= thresholds.l2_min && tally.0.values().all(|counts| enough(counts) && !is_unanimous(counts)) {
        Publication::Rows
    } else {
        Publication::Totals
    }
}

/// Whether all who answered at all gave the same answer.
#[must_use]
pub fn is_unanimous(counts: &[u32]) -> bool {
    counts.iter().skip(1).filter(|count| **count > 0).count() == 1
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const THRESHOLDS: Thresholds = Thresholds { k_min: 10, q_min: 5, l2_min: 20 };

    fn tally(counts: &[[u32; 4]]) -> Tally {
        Tally((1..).zip(counts).map(|(number, counts)| (format!("q{number}"), counts.to_vec())).collect())
    }

    #[rstest]
    #[case::nine_are_too_few(9, &[[0, 5, 3, 1]], Publication::Count)]
    #[case::ten_are_enough_for_totals(10, &[[0, 5, 3, 2]], Publication::Totals)]
    #[case::nineteen_are_too_few_for_rows(19, &[[0, 10, 5, 4]], Publication::Totals)]
    #[case::twenty_are_enough_for_rows(20, &[[0, 10, 5, 5], [0, 1, 18, 1]], Publication::Rows)]
    #[case::unanimity_hides_the_rows(20, &[[0, 10, 5, 5], [0, 0, 20, 0]], Publication::Totals)]
    #[case::also_among_those_who_answered(20, &[[0, 10, 5, 5], [8, 0, 12, 0]], Publication::Totals)]
    #[case::four_real_answers_hide_the_rows(20, &[[0, 10, 5, 5], [16, 2, 2, 0]], Publication::Totals)]
    #[case::five_do_not(20, &[[0, 10, 5, 5], [15, 3, 2, 0]], Publication::Rows)]
    fn how_much_is_published(#[case] ballots: u32, #[case] counts: &[[u32; 4]], #[case] expected: Publication) {
        assert_eq!(publication(&tally(counts), ballots, THRESHOLDS), expected);
    }

    #[test]
    fn a_question_with_too_few_real_answers_is_left_out_of_the_totals() {
        let totals = |ballots, counts: &[[u32; 4]]| totals(&tally(counts), ballots, THRESHOLDS).questions;
        let shown = totals(10, &[[0, 5, 3, 2], [6, 1, 1, 2]]);
        assert_eq!(shown["q1"], Some(vec![0, 5, 3, 2]));
        assert_eq!(shown["q2"], None);
        assert_eq!(totals(10, &[[5, 1, 2, 2]])["q1"], Some(vec![5, 1, 2, 2]));
        assert_eq!(totals(9, &[[0, 5, 3, 1]])["q1"], None);
    }
}

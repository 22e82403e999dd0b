use num_bigint::BigInt;
use num_traits::Zero;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Exact, Scale, Share};

/// Which formula, and which of its versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FormulaName {
    pub key: String,
    pub version: u16,
}

/// Points for each level. A formula never changes: what would change it is its next version.
#[derive(Debug, PartialEq, Eq)]
pub struct Formula {
    pub key: &'static str,
    pub version: u16,
    /// As the sheet says it.
    pub words: &'static str,
    /// For each scale it fits: points by position, from one. Levels past the end have none.
    points: &'static [(Scale, &'static [u32])],
}

/// Every formula there ever was.
pub const FORMULAS: [Formula; 6] = [
    // Seen: (100·A + 80·B + 60·C + 40·D) / valid ballots, per item, then item weights.
    Formula {
        key: "grade_mean",
        version: 1,
        words: "每题得分＝（第一档票数×100＋第二档票数×80＋第三档票数×60＋第四档票数×40）÷有效票数；没有作答的不算有效票。",
        points: &[(Scale::Competence, &[100, 80, 60, 40]), (Scale::Quality, &[100, 80, 60, 40])],
    },
    // Seen: 满意 100, 基本满意 70, 不满意 30, 不了解 not scored.
    Formula {
        key: "satisfaction",
        version: 1,
        words: "每题得分＝（满意票数×100＋基本满意票数×70＋不满意票数×30）÷有效票数；选“不了解”和没有作答的不计分，不算有效票。",
        points: &[(Scale::Satisfaction, &[100, 70, 30]), (Scale::SatisfactionOfThree, &[100, 70, 30])],
    },
    // Seen: 100 / 75 / 55, 不了解 excluded.
    Formula {
        key: "satisfaction_75_55",
        version: 1,
        words: "每题得分＝（满意票数×100＋基本满意票数×75＋不满意票数×55）÷有效票数；选“不了解”和没有作答的不计分，不算有效票。",
        points: &[(Scale::Satisfaction, &[100, 75, 55]), (Scale::SatisfactionOfThree, &[100, 75, 55])],
    },
    // No source for five levels: even steps; to be confirmed by the customer.
    Formula {
        key: "satisfaction_of_five",
        version: 1,
        words: "每题得分＝（非常满意票数×100＋满意票数×80＋基本满意票数×60＋不满意票数×40＋非常不满意票数×20）÷有效票数；没有作答的不算有效票。",
        points: &[(Scale::SatisfactionOfFive, &[100, 80, 60, 40, 20])],
    },
    // The reverse list of 正反向测评: a trigger for checking, never in the score.
    Formula {
        key: "mentions",
        version: 1,
        words: "只列每项选“有”“没有”“不了解”的票数，不计分，不参与排名；选“有”的比例＝选“有”的票数÷（选“有”＋选“没有”）的票数。",
        points: &[],
    },
    Formula { key: "counts", version: 1, words: "只列每题各选项的票数，不计分。", points: &[] },
];

/// Said under every formula.
pub(super) const ROUNDING: &str = "分数和比例按票数精确计算，最后四舍五入保留两位小数。";

impl Formula {
    #[must_use]
    pub fn find(name: &FormulaName) -> Option<&'static Self> {
        FORMULAS.iter().find(|formula| formula.key == name.key && formula.version == name.version)
    }

    #[must_use]
    pub fn name(&self) -> FormulaName {
        FormulaName { key: self.key.into(), version: self.version }
    }

    /// Whether it has points for this scale.
    #[must_use]
    pub fn scores(&self, scale: Scale) -> bool {
        self.points.iter().any(|(fits, _)| *fits == scale)
    }

    /// The mean of the points, from 0 to 100; none where the scale has no points or nobody gave a valid answer. `counts`
    /// begins with "no answer".
    #[must_use]
    pub fn score(&self, scale: Scale, counts: &[u32]) -> Option<Exact> {
        let (_, points) = self.points.iter().find(|(fits, _)| *fits == scale)?;
        let scored = || counts.iter().skip(1).zip(*points);
        let valid: u64 = scored().map(|(count, _)| u64::from(*count)).sum();
        let sum: u64 = scored().map(|(count, points)| u64::from(*count) * u64::from(*points)).sum();
        (valid > 0).then(|| Exact::new(BigInt::from(sum), BigInt::from(valid)))
    }
}

/// The weighted mean of what there is. A part that has no value is dropped and the weights of the rest are scaled up to one
/// in proportion; none when nothing is left.
#[must_use]
pub fn mean(parts: impl IntoIterator<Item = (Share, Option<Exact>)>) -> Option<Exact> {
    let (mut sum, mut weights) = (Exact::zero(), Exact::zero());
    for (weight, value) in parts {
        if let Some(value) = value {
            sum += weight.exact() * value;
            weights += weight.exact();
        }
    }
    (!weights.is_zero()).then(|| sum / weights)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;
    use strum::IntoEnumIterator;

    use super::{super::Hundredths, *};

    fn formula(key: &str) -> &'static Formula {
        Formula::find(&FormulaName { key: key.into(), version: 1 }).unwrap()
    }

    fn shown(value: Option<Exact>) -> String {
        value.map_or_else(|| "-".into(), |value| Hundredths::rounded(&value).to_string())
    }

    #[rstest]
    #[case::grades("grade_mean", Scale::Competence, &[0, 10, 6, 3, 1], "85.00")]
    #[case::who_gave_no_answer_does_not_count("grade_mean", Scale::Competence, &[30, 10, 6, 3, 1], "85.00")]
    #[case::teams("grade_mean", Scale::Quality, &[0, 1, 1, 1, 0], "80.00")]
    #[case::satisfied("satisfaction", Scale::Satisfaction, &[0, 10, 5, 5, 0], "75.00")]
    #[case::who_does_not_know_is_not_scored("satisfaction", Scale::Satisfaction, &[2, 10, 5, 5, 100], "75.00")]
    #[case::the_milder_variant("satisfaction_75_55", Scale::Satisfaction, &[0, 10, 5, 5, 9], "82.50")]
    #[case::of_three("satisfaction", Scale::SatisfactionOfThree, &[0, 2, 0, 1], "76.67")]
    #[case::of_five("satisfaction_of_five", Scale::SatisfactionOfFive, &[0, 1, 1, 1, 1, 1], "60.00")]
    #[case::nobody_knows("satisfaction", Scale::Satisfaction, &[3, 0, 0, 0, 40], "-")]
    #[case::a_list_has_no_score("mentions", Scale::Presence, &[0, 10, 5, 5], "-")]
    #[case::another_scale("grade_mean", Scale::Satisfaction, &[0, 10, 5, 5, 0], "-")]
    fn the_mean_of_points(#[case] key: &str, #[case] scale: Scale, #[case] counts: &[u32], #[case] expected: &str) {
        assert_eq!(shown(formula(key).score(scale, counts)), expected);
    }

    #[rstest]
    #[case::excellent(Scale::Competence, 0, &[4, 9, 6, 3, 2], "45.00")]
    #[case::competent_or_better(Scale::Competence, 1, &[4, 9, 6, 3, 2], "75.00")]
    #[case::incompetent(Scale::Competence, 2, &[4, 9, 6, 3, 2], "10.00")]
    #[case::satisfied_and_basically_satisfied(Scale::Satisfaction, 0, &[1, 10, 5, 5, 20], "75.00")]
    #[case::the_two_lowest_of_five(Scale::SatisfactionOfFive, 1, &[0, 3, 3, 3, 2, 1], "25.00")]
    #[case::mentioned(Scale::Presence, 0, &[3, 4, 8, 20], "33.33")]
    #[case::of_nobody(Scale::Competence, 0, &[4, 0, 0, 0, 0], "-")]
    fn rates(#[case] scale: Scale, #[case] rate: usize, #[case] counts: &[u32], #[case] expected: &str) {
        let rate = scale.rate(scale.rates()[rate], counts);
        assert_eq!(rate.map_or_else(|| "-".into(), |rate| Hundredths::per_cent(&rate).to_string()), expected);
    }

    fn whole(number: i64) -> Option<Exact> {
        Some(Exact::from_integer(BigInt::from(number)))
    }

    #[test]
    fn groups_are_weighted() {
        // Deputy leader 20 %, staff 40 %, assessment team 40 %.
        let parts = [(Share(2000), whole(90)), (Share(4000), whole(80)), (Share(4000), whole(70))];
        assert_eq!(shown(mean(parts)), "78.00");
    }

    #[test]
    fn a_group_without_ballots_is_dropped_and_the_rest_scaled_up() {
        let parts = [(Share(2000), None), (Share(4000), whole(80)), (Share(4000), whole(70))];
        assert_eq!(shown(mean(parts)), "75.00");
        assert_eq!(shown(mean([(Share(3000), None), (Share(3000), whole(60)), (Share(4000), whole(81))])), "72.00");
        assert_eq!(mean([(Share(10_000), None)]), None);
        assert_eq!(mean([(Share(0), whole(50))]), None);
    }

    #[test]
    fn the_formulas_have_names_of_their_own_and_say_what_they_do() {
        let mut names: Vec<_> = FORMULAS.iter().map(|formula| (formula.key, formula.version)).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), FORMULAS.len());
        for formula in &FORMULAS {
            for (scale, points) in formula.points {
                assert!(points.is_sorted_by(|one, next| one > next) && points[0] == 100);
                // Each level's points stand in the words that people read.
                for points in *points {
                    assert!(formula.words.contains(&format!("×{points}")), "{}: {points}", formula.key);
                }
                assert_eq!(scale.valid(&[1; 9]) as usize, points.len(), "{scale:?}: what is valid has points");
            }
        }
    }

    fn scored() -> impl Strategy<Value = (&'static Formula, Scale, Vec<u32>)> {
        let pairs: Vec<_> = FORMULAS
            .iter()
            .flat_map(|formula| Scale::iter().filter(|scale| formula.scores(*scale)).map(move |scale| (formula, scale)))
            .collect();
        proptest::sample::select(pairs).prop_flat_map(|(formula, scale)| {
            let counts = proptest::collection::vec(0..2000u32, scale.labels().len() + 1);
            (Just(formula), Just(scale), counts)
        })
    }

    proptest! {
        #[test]
        fn a_score_lies_between_the_points_of_the_worst_and_the_best((formula, scale, counts) in scored()) {
            if let Some(score) = formula.score(scale, &counts) {
                let score = Hundredths::rounded(&score);
                prop_assert!((Hundredths(2_000)..=Hundredths(10_000)).contains(&score), "{}", score);
            }
        }

        #[test]
        fn one_better_answer_never_lowers_the_score((formula, scale, mut counts) in scored(), from in 2..6usize) {
            let valid = formula.points.iter().find(|(fits, _)| *fits == scale).unwrap().1.len();
            if from <= valid && counts[from] > 0 {
                let before = formula.score(scale, &counts);
                counts[from] -= 1;
                counts[from - 1] += 1;
                prop_assert!(formula.score(scale, &counts) > before);
            }
        }

        #[test]
        fn the_order_of_the_groups_does_not_matter(
            parts in proptest::collection::vec((0..10_000u16, proptest::option::of(0..100i64)), 1..6),
        ) {
            let of = |parts: &[(u16, Option<i64>)]| {
                mean(parts.iter().map(|(weight, value)| (Share(*weight), value.and_then(whole))))
            };
            let mut turned = parts.clone();
            turned.reverse();
            prop_assert_eq!(of(&parts), of(&turned));
            // And it lies between the lowest and the highest.
            let values: Vec<_> = parts.iter().filter(|(weight, _)| *weight > 0).filter_map(|(_, value)| *value).collect();
            match of(&parts) {
                Some(mean) => {
                    prop_assert!(mean >= whole(*values.iter().min().unwrap()).unwrap());
                    prop_assert!(mean <= whole(*values.iter().max().unwrap()).unwrap());
                }
                None => prop_assert!(values.is_empty()),
            }
        }
    }
}

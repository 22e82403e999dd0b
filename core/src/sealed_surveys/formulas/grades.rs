use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Exact, Share};

/// From which shares a grade is proposed. A proposal only: the committee studies it and decides.
///
/// Seen in one township: 优秀率 ≥ 90 % → 优秀; 称职以上率 ≥ 70 % → 称职; 不称职率 ≥ 30 % → 不称职; otherwise 基本称职.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GradeThresholds {
    /// Least share of the best level for the best grade.
    pub best_from: Share,
    /// Least share of the two best levels for the second grade.
    pub second_from: Share,
    /// Share of the worst level from which the worst grade is proposed, before everything else.
    pub worst_from: Share,
}

impl GradeThresholds {
    /// In words for the sheet, in the names of a scale's four levels and three rates.
    #[must_use]
    pub fn words(self, labels: &[&str], rates: &[&str]) -> String {
        let [best, second, third, worst] = labels else { return String::new() };
        let [best_rate, second_rate, worst_rate] = rates else { return String::new() };
        format!(
            "等次建议：{worst_rate}达到{}的，建议“{worst}”；否则{best_rate}达到{}的，建议“{best}”；{second_rate}达到{}的，建议“{second}”；\
             其余建议“{third}”。只是按票数得出的建议，等次由党组织研究确定。",
            self.worst_from, self.best_from, self.second_from
        )
    }
}

/// The position of the proposed grade, from one (best) to four, by the shares of the best level, of the two best and of the
/// worst.
#[must_use]
pub fn grade(thresholds: GradeThresholds, best: &Exact, two_best: &Exact, worst: &Exact) -> usize {
    if *worst >= thresholds.worst_from.exact() {
        4
    } else if *best >= thresholds.best_from.exact() {
        1
    } else if *two_best >= thresholds.second_from.exact() {
        2
    } else {
        3
    }
}

/// Whether enough of those who could took part. Of nobody there is never enough.
#[must_use]
pub fn is_quorum_reached(ballots: u32, eligible: u32, quorum: Share) -> bool {
    super::share_of(ballots, eligible).is_some_and(|share| share >= quorum.exact())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{super::share_of, *};

    const SEEN: GradeThresholds =
        GradeThresholds { best_from: Share(9000), second_from: Share(7000), worst_from: Share(3000) };

    #[rstest]
    #[case::ninety_of_a_hundred_excellent([90, 5, 5, 0], 1)]
    #[case::eighty_nine([89, 11, 0, 0], 2)]
    #[case::seventy_competent([20, 50, 30, 0], 2)]
    #[case::sixty_nine([20, 49, 31, 0], 3)]
    #[case::thirty_incompetent([40, 30, 0, 30], 4)]
    #[case::twenty_nine([40, 31, 0, 29], 2)]
    #[case::excellent_is_no_help_against_a_third([70, 0, 0, 30], 4)]
    fn the_grade_that_is_proposed(#[case] counts: [u32; 4], #[case] expected: usize) {
        let share = |part: u32| share_of(part, 100).unwrap();
        let proposed = grade(SEEN, &share(counts[0]), &share(counts[0] + counts[1]), &share(counts[3]));
        assert_eq!(proposed, expected);
    }

    #[rstest]
    #[case::four_fifths(80, 100, 8000, true)]
    #[case::one_less(79, 100, 8000, false)]
    #[case::two_thirds_of_thirty(20, 30, 6666, true)]
    #[case::one_less_of_thirty(19, 30, 6666, false)]
    #[case::nobody(0, 0, 0, false)]
    #[case::none_needed(0, 10, 0, true)]
    fn the_quorum(#[case] ballots: u32, #[case] eligible: u32, #[case] quorum: u16, #[case] expected: bool) {
        assert_eq!(is_quorum_reached(ballots, eligible, Share(quorum)), expected);
    }

    #[test]
    fn the_thresholds_are_said_in_the_words_of_the_scale() {
        let labels = ["优秀", "称职", "基本称职", "不称职"];
        insta::assert_snapshot!(SEEN.words(&labels, &["优秀率", "称职以上率", "不称职率"]), @"等次建议：不称职率达到30%的，建议“不称职”；否则优秀率达到90%的，建议“优秀”；称职以上率达到70%的，建议“称职”；其余建议“基本称职”。只是按票数得出的建议，等次由党组织研究确定。");
    }
}

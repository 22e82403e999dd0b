use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{campaigns::plan::Satisfaction, complaints::SatisfactionLevel};

/// What the affected residents say of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    Content,
    NotContent,
    /// Silence is not consent.
    TooFewAnswers,
}

/// When a verdict stands.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// Share of the affected who must answer, 0–1.
    pub quorum: f64,
    /// Fewest answers that count; where fewer people are affected, all of them must answer.
    pub minimum: u32,
    /// Share of the answers that must be satisfied at least basically, 0–1.
    pub satisfied: f64,
}

impl From<Satisfaction> for Threshold {
    fn from(plan: Satisfaction) -> Self {
        Self { quorum: plan.quorum_share, minimum: plan.minimum_answers, satisfied: plan.satisfied_share }
    }
}

impl Default for Threshold {
    /// Half must answer and four in five be content; plans may ask for more (confirm with the customer).
    fn default() -> Self {
        Self { quorum: 0.5, minimum: 1, satisfied: 0.8 }
    }
}

/// How many said what. There is nothing else: no row per answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub eligible: u32,
    pub answers: BTreeMap<SatisfactionLevel, u32>,
}

/// Fewer answers than this are not shown, to nobody: a figure over few people is a person (lessons c12).
pub const SMALLEST_SHOWN: u32 = 5;

impl Tally {
    #[must_use]
    pub fn answered(&self) -> u32 {
        self.answers.values().sum()
    }

    fn content(&self) -> u32 {
        self.answers.iter().filter(|(level, _)| !level.is_bad()).map(|(_, count)| count).sum()
    }

    #[must_use]
    pub fn verdict(&self, threshold: &Threshold) -> Verdict {
        let answered = self.answered();
        let fewest = threshold.minimum.min(self.eligible).max(1);
        let needed = (f64::from(self.eligible) * threshold.quorum).ceil().max(f64::from(fewest));
        if f64::from(answered) < needed {
            return Verdict::TooFewAnswers;
        }
        if f64::from(self.content()) + f64::EPSILON >= f64::from(answered) * threshold.satisfied {
            Verdict::Content
        } else {
            Verdict::NotContent
        }
    }

    /// The share of content answers in whole per cent, when enough people answered. Unanimity is told as a bound, since
    /// it would tell what each one said.
    #[must_use]
    pub fn shown_share(&self) -> Option<u32> {
        let (answered, content) = (self.answered(), self.content());
        (answered >= SMALLEST_SHOWN).then(|| (content * 100 / answered).clamp(5, 95))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn tally(eligible: u32, content: u32, not: u32) -> Tally {
        let answers = [(SatisfactionLevel::Satisfied, content), (SatisfactionLevel::Dissatisfied, not)];
        Tally { eligible, answers: answers.into_iter().collect() }
    }

    #[rstest]
    #[case(10, 4, 0, Verdict::TooFewAnswers)]
    #[case(10, 5, 0, Verdict::Content)]
    #[case(10, 4, 1, Verdict::Content)]
    #[case(10, 7, 3, Verdict::NotContent)]
    #[case(0, 0, 0, Verdict::TooFewAnswers)]
    #[case(1, 0, 1, Verdict::NotContent)]
    fn half_must_answer_and_four_in_five_be_content(
        #[case] eligible: u32,
        #[case] content: u32,
        #[case] not: u32,
        #[case] expected: Verdict,
    ) {
        assert_eq!(tally(eligible, content, not).verdict(&Threshold::default()), expected);
    }

    #[rstest]
    #[case(100, 14, 0, Verdict::TooFewAnswers)]
    #[case(100, 15, 0, Verdict::Content)]
    #[case(100, 10, 5, Verdict::NotContent)]
    #[case(10, 9, 0, Verdict::TooFewAnswers)]
    #[case(10, 7, 3, Verdict::Content)]
    fn a_plan_may_ask_for_more(
        #[case] eligible: u32,
        #[case] content: u32,
        #[case] not: u32,
        #[case] expected: Verdict,
    ) {
        let plan = Satisfaction { satisfied_share: 0.7, minimum_answers: 15, quorum_share: 0.0 };
        assert_eq!(tally(eligible, content, not).verdict(&plan.into()), expected);
    }

    #[test]
    fn figures_of_few_people_and_unanimity_are_not_shown() {
        assert_eq!(tally(10, 4, 0).shown_share(), None);
        assert_eq!(tally(10, 8, 2).shown_share(), Some(80));
        assert_eq!(tally(10, 10, 0).shown_share(), Some(95));
        assert_eq!(tally(10, 0, 10).shown_share(), Some(5));
    }
}

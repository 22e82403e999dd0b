//! The questionnaires that ship with the product (row 5.2), as data: what is asked, of whom, for what, and how a result
//! comes of it. Levels only, never free text; about posts, units, services and things, never about residents.

mod of_plan;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use qingfeng_ballots::answers;
use sea_orm::{DeriveActiveEnum, EnumIter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use of_plan::BadEvaluation;

use super::formulas::{BadRules, Formula, Rules, Scale, Share};
use crate::{campaigns::plan::About, people::RosterGroup};

/// What the result is for. The kinds must not be mixed (5.5): they are published differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
#[schema(as = QuestionnairePurpose)]
pub enum Purpose {
    /// 民主评议: announced in public, consequences by law.
    StatutoryReview,
    /// 民主测评: to the committee; the grade after study; to the person rated when the office releases it.
    Organizational,
    /// 满意度调查: public.
    Satisfaction,
}

impl Purpose {
    #[must_use]
    pub fn is_public(self) -> bool {
        self != Self::Organizational
    }

    /// Who sees the result, in words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::StatutoryReview => "民主评议：结果当众公布，按法律规定运用。",
            Self::Organizational => "民主测评：结果报党组织研究，等次由党组织研究确定；被测评人只看本人的结果。",
            Self::Satisfaction => "满意度调查：结果公开。",
        }
    }
}

/// A questionnaire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Questionnaire {
    pub key: String,
    pub version: u16,
    pub title: String,
    /// One or two sentences before the first question.
    pub introduction: String,
    pub about: About,
    pub purpose: Purpose,
    /// The question whose shares of levels make the proposed grade.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub graded_by: Option<String>,
    /// The questionnaire that goes on where this one ends: a ballot of more than eight questions could be recognized.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continues_in: Option<String>,
    /// Its groups are those who may answer.
    pub rules: Rules,
    pub questions: Vec<Item>,
}

/// A question and what its answer weighs in the score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    pub key: String,
    pub text: String,
    pub scale: Scale,
    /// Nothing: shown, not scored.
    #[serde(default)]
    pub weight: Share,
}

/// Why a questionnaire cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadQuestionnaire {
    #[error(transparent)]
    Rules(#[from] BadRules),
    #[error("one to eight questions with keys of their own")]
    Questions,
    #[error("the weights of the scored questions do not sum to one, or one has no points")]
    Weights,
    #[error("the grade needs a question of its own with four levels")]
    Grade,
}

const TEXTS: [&str; 11] = [
    include_str!("shipped/cadre_evaluation.toml"),
    include_str!("shipped/duty_report.toml"),
    include_str!("shipped/statutory_review.toml"),
    include_str!("shipped/public_satisfaction.toml"),
    include_str!("shipped/rectification_results.toml"),
    include_str!("shipped/department_rating.toml"),
    include_str!("shipped/positive_list.toml"),
    include_str!("shipped/negative_list.toml"),
    include_str!("shipped/item_satisfaction.toml"),
    include_str!("shipped/service_satisfaction.toml"),
    include_str!("shipped/turnaround_acceptance.toml"),
];

static SHIPPED: LazyLock<Vec<Questionnaire>> = LazyLock::new(|| {
    TEXTS.iter().map(|text| toml::from_str(text).expect("the shipped questionnaires are read by a test")).collect()
});

/// Every questionnaire that ships with the product.
#[must_use]
pub fn shipped() -> &'static [Questionnaire] {
    &SHIPPED
}

/// The shipped questionnaire of that key.
#[must_use]
pub fn find(key: &str) -> Option<&'static Questionnaire> {
    shipped().iter().find(|questionnaire| questionnaire.key == key)
}

impl Questionnaire {
    /// The questions as a ballot asks them.
    #[must_use]
    pub fn ballot_questions(&self) -> Vec<answers::Question> {
        let question = |item: &Item| answers::Question {
            key: item.key.clone(),
            text: item.text.clone(),
            options: item.scale.labels().iter().map(|label| (*label).to_owned()).collect(),
        };
        self.questions.iter().map(question).collect()
    }

    /// Who may answer.
    pub fn groups(&self) -> impl Iterator<Item = RosterGroup> + '_ {
        self.rules.groups.iter().map(|weighed| weighed.group)
    }

    /// # Errors
    /// Why it cannot be used.
    pub fn check(&self) -> Result<&'static Formula, BadQuestionnaire> {
        let formula = self.rules.check()?;
        if !answers::may_be_asked(&self.ballot_questions()) {
            return Err(BadQuestionnaire::Questions);
        }
        let scored = || self.questions.iter().filter(|item| item.weight > Share(0));
        let sum: u32 = scored().map(|item| u32::from(item.weight.0)).sum();
        let is_scored = scored().next().is_some();
        if (is_scored && sum != u32::from(Share::ALL.0)) || !scored().all(|item| formula.scores(item.scale)) {
            return Err(BadQuestionnaire::Weights);
        }
        let graded = self.graded_by.as_ref().map(|key| self.questions.iter().find(|item| item.key == *key));
        let is_gradable = |item: &&Item| matches!(item.scale, Scale::Competence | Scale::Quality);
        match graded {
            Some(item) if item.as_ref().is_none_or(|item| !is_gradable(item)) => Err(BadQuestionnaire::Grade),
            None if self.rules.grades.is_some() => Err(BadQuestionnaire::Grade),
            _ => Ok(formula),
        }
    }
}

//! The result of a survey on paper: one row for each subject, worked out once when the last box is out, and never again.

mod making;
mod ranking;
#[cfg(test)]
mod tests;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use making::{Evaluated, LastRound, Unit, make};

use super::{
    formulas::{FormulaName, GroupWeight, Hundredths},
    questionnaires::Purpose,
    suppression::PaperAccount,
};
use crate::people::RosterGroup;

/// What all rows have in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = SealedSurveySheetHead)]
pub struct Head {
    pub title: String,
    pub questionnaire: String,
    pub questionnaire_version: u16,
    pub purpose: Purpose,
    /// Who sees the result and what comes of it.
    pub purpose_words: String,
    pub formula: FormulaName,
    /// How a score comes about, in words.
    pub formula_words: String,
    /// From which shares a grade is proposed, in words.
    pub grade_words: Option<String>,
    pub groups: Vec<GroupWeight>,
    pub is_ranked: bool,
    /// What is left out, and why.
    pub suppression_words: String,
    pub published_on: NaiveDate,
}

/// The result for one subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = SealedSurveySheetRow)]
pub struct Row {
    /// Who or what was evaluated.
    pub label: String,
    /// The village, or the township; of a sum, over what.
    pub unit: String,
    /// Over several units.
    pub is_sum: bool,
    pub eligible: u32,
    /// Nothing where it would tell of few.
    pub issued: Option<u32>,
    pub ballots: Option<u32>,
    pub paper: Option<PaperAccount>,
    /// Envelopes that no key opens, and second envelopes of a counted ballot, which stay sealed. Of published boxes alone; nothing
    /// where there is none.
    pub unopenable: Option<u32>,
    pub withheld: Option<u32>,
    /// More than one in a hundred of them, or so many that they could decide the outcome — whether enough took part, the grade, the
    /// rank: the count is to be settled before anything is made of it.
    pub is_contested: bool,
    /// Whether enough took part, going by the published boxes; nothing where there is none.
    pub is_valid: Option<bool>,
    pub questions: Vec<QuestionLine>,
    pub groups: Vec<GroupLine>,
    pub score: Option<Hundredths>,
    /// Proposed by thresholds; the committee decides.
    pub proposed_grade: Option<String>,
    /// Ties share a rank.
    pub rank: Option<u32>,
    pub previous: Option<Previous>,
    /// What is missing in this row, and why, in sentences.
    pub notes: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = SealedSurveyQuestionLine)]
pub struct QuestionLine {
    pub key: String,
    pub text: String,
    pub options: Vec<String>,
    /// Over all groups, from "no answer" on; nothing where it would tell of few.
    pub counts: Option<Vec<u32>>,
    pub score: Option<Hundredths>,
    pub rates: Vec<RateLine>,
    /// An item of a list that so many ticked that it is to be checked.
    pub is_to_be_checked: bool,
}

/// A share of the valid answers in per cent, weighted by groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = SealedSurveyRateLine)]
pub struct RateLine {
    pub label: String,
    pub per_cent: Hundredths,
}

/// One group of electors, over its published boxes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = SealedSurveyGroupLine)]
pub struct GroupLine {
    pub group: RosterGroup,
    pub label: String,
    pub eligible: u32,
    pub issued: Option<u32>,
    pub ballots: Option<u32>,
    /// For each question, from "no answer" on; nothing where there are too few.
    pub counts: Vec<Option<Vec<u32>>>,
    pub score: Option<Hundredths>,
}

/// The last round of the same subject by the same questionnaire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = SealedSurveyPrevious)]
pub struct Previous {
    pub published_on: NaiveDate,
    pub score: Option<Hundredths>,
    /// This round's score less the last one's, as shown; nothing when one has none or they were made differently.
    pub change: Option<Hundredths>,
}

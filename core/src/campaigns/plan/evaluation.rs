use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Rhythm;
use crate::people::RosterGroup;

/// Who accepts, in ascending order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AcceptanceLevel {
    Village,
    Township,
    County,
    City,
}

/// One link of the acceptance chain (3.4).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptanceStep {
    pub level: AcceptanceLevel,
    /// e.g. 县级抽评.
    #[schemars(length(min = 1))]
    pub label: String,
    /// Share of the villages that is looked at; 1 = all.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub sample_rate: f64,
    /// Key of the office that does it.
    pub by: String,
    #[serde(default)]
    pub ways: Vec<String>,
    #[serde(default)]
    pub criteria: Vec<String>,
    /// Where the result goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result_to: Option<String>,
}

/// When residents count as satisfied with a rectification item. Without it, nothing is closed out (不满意不销号).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Satisfaction {
    /// Least share of satisfied among the valid answers.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub satisfied_share: f64,
    /// Fewest answers of affected residents for which a verdict counts.
    #[schemars(range(min = 1))]
    pub minimum_answers: u32,
    /// Least share of the invited that must have answered.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub quorum_share: f64,
}

/// Whom or what an evaluation is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum About {
    Cadre,
    VillageBody,
    Rectification,
    /// Villages judge the departments of the township.
    Department,
    PublicService,
    Item,
}

/// The two kinds that must not be mixed (5.5), and surveys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// 民主评议: announced in public, consequences by law.
    StatutoryAppraisal,
    /// 民主测评: goes to the committee.
    OrganizationalEvaluation,
    /// 满意度调查.
    SatisfactionSurvey,
}

/// An evaluation or survey that the plan asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Evaluation {
    #[schemars(regex(pattern = r"^[a-z][a-z0-9_]*$"))]
    pub key: String,
    #[schemars(length(min = 1))]
    pub label: String,
    pub about: About,
    pub kind: Kind,
    /// Key of the questionnaire that it is held with; none: the usual one for what it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub questionnaire: Option<String>,
    pub rhythm: Rhythm,
    /// Least share of the eligible that must have answered; none: as the questionnaire says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub quorum_share: Option<f64>,
    /// Whether those evaluated are ranked; none: as the questionnaire says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ranked: Option<bool>,
    /// Who answers, with weights that sum to 1.
    #[schemars(length(min = 1))]
    pub electorates: Vec<Electorate>,
    /// What is judged, with weights that sum to 1; none: the thing as a whole.
    #[serde(default)]
    pub dimensions: Vec<Dimension>,
    /// From best to worst.
    #[schemars(length(min = 2))]
    pub scale: Vec<String>,
    /// 背靠背 and the like.
    #[serde(default)]
    pub ways: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Electorate {
    pub group: RosterGroup,
    #[schemars(range(min = 0.0, max = 1.0))]
    pub weight: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dimension {
    #[schemars(regex(pattern = r"^[a-z][a-z0-9_]*$"))]
    pub key: String,
    #[schemars(length(min = 1))]
    pub label: String,
    #[schemars(range(min = 0.0, max = 1.0))]
    pub weight: f64,
}

/// The yearly assessment made up of several scores (双考核).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Assessment {
    #[schemars(length(min = 1))]
    pub label: String,
    /// Weights sum to 1.
    #[schemars(length(min = 1))]
    pub parts: Vec<AssessmentPart>,
    /// What the result counts for.
    #[serde(default)]
    pub counts_for: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssessmentPart {
    #[schemars(length(min = 1))]
    pub label: String,
    #[schemars(range(min = 0.0, max = 1.0))]
    pub weight: f64,
}

/// A figure to be reached.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    #[schemars(regex(pattern = r"^[a-z][a-z0-9_]*$"))]
    pub key: String,
    #[schemars(length(min = 1))]
    pub label: String,
    /// At least this much.
    pub at_least: f64,
    /// e.g. %、件/年.
    #[schemars(length(min = 1))]
    pub unit: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_on: Option<NaiveDate>,
}

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A stretch of the campaign with what must exist at its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    #[schemars(regex(pattern = r"^[a-z][a-z0-9_]*$"))]
    pub key: String,
    #[schemars(length(min = 1))]
    pub label: String,
    pub starts_on: NaiveDate,
    pub ends_on: NaiveDate,
    #[schemars(length(min = 1))]
    pub deliverables: Vec<Deliverable>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Deliverable {
    #[schemars(length(min = 1))]
    pub label: String,
    /// None: by the end of the phase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_on: Option<NaiveDate>,
}

/// An axis on which problems are sorted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Taxonomy {
    #[schemars(regex(pattern = r"^[a-z][a-z0-9_]*$"))]
    pub key: String,
    #[schemars(length(min = 1))]
    pub label: String,
    #[schemars(length(min = 1))]
    pub categories: Vec<Category>,
}

/// One kind of problem. Its key is unique in the whole file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Category {
    #[schemars(regex(pattern = r"^[a-z][a-z0-9_]*$"))]
    pub key: String,
    #[schemars(length(min = 1))]
    pub label: String,
    /// What it covers.
    #[serde(default)]
    pub covers: Vec<String>,
    /// What the plan orders against it.
    #[serde(default)]
    pub measures: Vec<String>,
}

/// A way in which problems come to light (查摆).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WayOfFinding {
    #[schemars(regex(pattern = r"^[a-z][a-z0-9_]*$"))]
    pub key: String,
    #[schemars(length(min = 1))]
    pub label: String,
    #[serde(default)]
    pub details: Vec<String>,
    /// What residents said is kept word for word.
    #[serde(default)]
    pub original_words: bool,
}

/// What is done with a confirmed problem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Disposition {
    #[schemars(regex(pattern = r"^[a-z][a-z0-9_]*$"))]
    pub key: String,
    #[schemars(length(min = 1))]
    pub label: String,
    #[serde(default)]
    pub forms: Vec<String>,
}

/// A project or special action, and who carries it (4.4, 4.6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Project {
    #[schemars(regex(pattern = r"^[a-z][a-z0-9_]*$"))]
    pub key: String,
    #[schemars(length(min = 1))]
    pub label: String,
    /// Keys of offices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<String>,
    #[serde(default)]
    pub deputies: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead: Option<String>,
    #[serde(default)]
    pub joint: Vec<String>,
    #[serde(default)]
    pub covers: Vec<String>,
    #[serde(default)]
    pub measures: Vec<Measure>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Measure {
    #[schemars(regex(pattern = r"^[a-z][a-z0-9_]*$"))]
    pub key: String,
    #[schemars(length(min = 1))]
    pub label: String,
    #[serde(default)]
    pub details: Vec<String>,
    /// Key of the office that leads.
    pub lead: String,
    /// Keys of the offices that join.
    #[serde(default)]
    pub joint: Vec<String>,
}

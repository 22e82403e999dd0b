use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::people::Role;

/// Who launches a campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Township,
    County,
}

/// Where an office is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// In every village: its duties are due in each.
    Village,
    Township,
    /// The department of the township that has this name.
    Department,
    /// In every department of the township.
    EachDepartment,
    County,
    City,
}

/// A post or unit that answers for something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Office {
    #[schemars(regex(pattern = r"^[a-z][a-z0-9_]*$"))]
    pub key: String,
    /// As it is called, e.g. 村党组织书记.
    #[schemars(length(min = 1))]
    pub label: String,
    pub place: Place,
    /// The role whose holders get its duties and reminders. None: the office is outside this installation; its duties
    /// show on the desk of the township office.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

/// The group that leads the campaign, by office; persons stand in the posts of the installation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeadingGroup {
    #[schemars(length(min = 1))]
    pub name: String,
    /// Keys of offices.
    #[schemars(length(min = 1))]
    pub heads: Vec<String>,
    #[serde(default)]
    pub deputies: Vec<String>,
    #[serde(default)]
    pub members: Vec<String>,
    /// The office that runs the campaign from day to day.
    pub run_by: String,
    /// Where that office sits, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seat: Option<String>,
}

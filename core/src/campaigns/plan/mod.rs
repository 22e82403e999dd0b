//! What a plan file can say. The types are the format: `plans/plan.schema.json` is generated from them, and every file
//! is held against that schema before it is read.

mod duties;
mod evaluation;
mod moving;
mod offices;
mod owed;
mod problems;
mod schedule;
mod supervision;

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use duties::{
    Duty, Evidence, EvidenceKind, HalfYear, MonthDay, OnRestDay, Per, Quarter, RequiredList, Rhythm, WeekDay,
};
pub use evaluation::{
    About, AcceptanceLevel, AcceptanceStep, Assessment, AssessmentPart, Dimension, Electorate, Evaluation, Kind,
    Satisfaction, Target,
};
pub use offices::{LeadingGroup, Level, Office, Place};
pub use problems::{Category, Deliverable, Disposition, Measure, Phase, Project, Taxonomy, WayOfFinding};
pub use schedule::{ScheduleEntry, ScheduleMistake, ScheduledRun};
pub use supervision::{
    CARDS_PER_DAY, ComplaintClocks, Consequence, Document, EscalationKind, EscalationStep, ExtensionRule, Mechanism,
    Publication, Reminders,
};

/// A campaign's plan (专项行动方案).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Short identifier in lower case, e.g. `jizhuoyangqing-2022`.
    #[schemars(regex(pattern = r"^[a-z0-9]+(-[a-z0-9]+)*$"))]
    pub key: String,
    #[schemars(length(min = 1))]
    pub name: String,
    /// Who launches it.
    pub level: Level,
    /// Whom it covers, in words.
    #[schemars(length(min = 1))]
    pub scope: String,
    /// What is to be reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal: Option<String>,
    pub starts_on: NaiveDate,
    pub ends_on: NaiveDate,
    /// Sentences that stand above all rules, e.g. 时间服从质量.
    #[serde(default)]
    pub principles: Vec<String>,
    /// Cadres who have moved post stay responsible (追溯).
    #[serde(default)]
    pub retroactive: bool,
    /// Complex items may run past the campaign's phases.
    #[serde(default)]
    pub long_running_items: bool,
    /// Posts and units that the rest of the file refers to by key.
    #[serde(default)]
    pub offices: Vec<Office>,
    pub leading_group: LeadingGroup,
    #[serde(default)]
    pub phases: Vec<Phase>,
    #[serde(default)]
    pub taxonomies: Vec<Taxonomy>,
    #[serde(default)]
    pub ways_of_finding: Vec<WayOfFinding>,
    #[serde(default)]
    pub dispositions: Vec<Disposition>,
    /// Projects and special actions with the units that carry them.
    #[serde(default)]
    pub projects: Vec<Project>,
    #[serde(default)]
    pub duties: Vec<Duty>,
    #[serde(default)]
    pub lists: Vec<RequiredList>,
    /// From the village up to the city.
    #[serde(default)]
    pub acceptance: Vec<AcceptanceStep>,
    pub satisfaction: Satisfaction,
    #[serde(default)]
    pub evaluations: Vec<Evaluation>,
    #[serde(default)]
    pub assessment: Option<Assessment>,
    #[serde(default)]
    pub targets: Vec<Target>,
    #[serde(default)]
    pub complaints: ComplaintClocks,
    #[serde(default)]
    pub reminders: Reminders,
    /// What happens with whatever stays overdue, step by step.
    #[serde(default)]
    pub escalation: Vec<EscalationStep>,
    #[serde(default)]
    pub documents: Vec<Document>,
    #[serde(default)]
    pub publication: Publication,
    /// What the bot does by itself, and when; what is not named keeps its usual time.
    #[serde(default)]
    pub schedule: Vec<ScheduleEntry>,
    /// Standing mechanisms (长效机制).
    #[serde(default)]
    pub mechanisms: Vec<Mechanism>,
    /// Honours and sanctions.
    #[serde(default)]
    pub consequences: Vec<Consequence>,
}

impl Plan {
    #[must_use]
    pub fn office(&self, key: &str) -> Option<&Office> {
        self.offices.iter().find(|office| office.key == key)
    }

    #[must_use]
    pub fn duty(&self, key: &str) -> Option<&Duty> {
        self.duties.iter().find(|duty| duty.key == key)
    }

    /// The category of that key, on whichever axis.
    #[must_use]
    pub fn category(&self, key: &str) -> Option<&Category> {
        self.taxonomies.iter().flat_map(|taxonomy| &taxonomy.categories).find(|category| category.key == key)
    }

    /// The phase that this day falls into; the later one where two meet.
    #[must_use]
    pub fn phase_on(&self, date: NaiveDate) -> Option<&Phase> {
        self.phases.iter().rev().find(|phase| phase.starts_on <= date && date <= phase.ends_on)
    }
}

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{calendar::Limit, complaints::ClockRules, deadlines::extensions::ExtensionLimits};

/// The limits of complaints. What a plan leaves out keeps the law's limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ComplaintClocks {
    /// 受理告知 (信访工作条例 art. 23).
    pub acceptance: Limit,
    /// 申诉求决 (art. 34).
    pub grievance: Limit,
    pub suggestion: Limit,
    /// 限时快办: services with a promise.
    pub fast_service: Limit,
    /// Putting right what was rated bad.
    pub bad_rating: Limit,
    pub extension: ExtensionRule,
}

impl Default for ComplaintClocks {
    fn default() -> Self {
        let law = ClockRules::default();
        Self {
            acceptance: law.acceptance,
            grievance: law.grievance,
            suggestion: law.suggestion,
            fast_service: law.fast_service,
            bad_rating: law.bad_rating,
            extension: ExtensionRule::default(),
        }
    }
}

impl ComplaintClocks {
    #[must_use]
    pub fn rules(self) -> ClockRules {
        ClockRules {
            acceptance: self.acceptance,
            grievance: self.grievance,
            suggestion: self.suggestion,
            fast_service: self.fast_service,
            bad_rating: self.bad_rating,
        }
    }
}

/// How often and how long a complaint's limit may be extended (信访工作条例 art. 34: once, at most 30 days).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExtensionRule {
    pub most: u32,
    #[schemars(range(min = 1))]
    pub longest_days: u32,
}

impl Default for ExtensionRule {
    fn default() -> Self {
        Self { most: 1, longest_days: 30 }
    }
}

impl From<ExtensionRule> for ExtensionLimits {
    fn from(rule: ExtensionRule) -> Self {
        Self { most: Some(rule.most), longest_days: Some(rule.longest_days) }
    }
}

/// When the responsible person is reminded (6.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Reminders {
    /// Days ahead, from far to near.
    pub days_before: Vec<u32>,
    pub on_the_day: bool,
    /// While overdue, once every so many days.
    #[schemars(range(min = 1))]
    pub overdue_every_days: u32,
    /// Cards that one person gets on a day; the last two are kept for what is urgent, and what comes on top waits for the next
    /// morning.
    #[schemars(range(min = 3, max = 20))]
    pub cards_per_day: u32,
}

impl Default for Reminders {
    fn default() -> Self {
        Self { days_before: vec![7, 3, 1], on_the_day: true, overdue_every_days: 3, cards_per_day: CARDS_PER_DAY }
    }
}

/// Cards per person and day, where no campaign says otherwise.
pub const CARDS_PER_DAY: u32 = 8;

/// The rungs of the ladder, in ascending order (4.3).
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, strum::EnumIter,
)]
#[serde(rename_all = "snake_case")]
pub enum EscalationKind {
    /// 提醒.
    Reminder,
    /// 催办.
    Urging,
    /// 督办函.
    SupervisionLetter,
    /// 函询: a letter that asks for an explanation.
    Inquiry,
    /// 约谈.
    Talk,
    /// 问责.
    Accountability,
}

impl EscalationKind {
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Reminder => "提醒",
            Self::Urging => "催办",
            Self::SupervisionLetter => "督办函",
            Self::Inquiry => "函询",
            Self::Talk => "约谈",
            Self::Accountability => "问责",
        }
    }
}

/// One rung: after so many days overdue, so and so are told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EscalationStep {
    pub step: EscalationKind,
    #[schemars(range(min = 1))]
    pub overdue_days: u32,
    /// Keys of the offices that are told beside the responsible person.
    #[schemars(length(min = 1))]
    pub tells: Vec<String>,
    /// Key of the document that goes with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
}

/// A letter, form or bulletin of the campaign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Document {
    #[schemars(regex(pattern = r"^[a-z][a-z0-9_]*$"))]
    pub key: String,
    #[schemars(length(min = 1))]
    pub label: String,
    /// Key of the office that issues it.
    pub issued_by: String,
    #[serde(default)]
    pub fields: Vec<String>,
}

/// What is shown to residents, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Publication {
    /// Day of the month of the progress post in the village groups; none: the first working day. At most 28, so that
    /// each month has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 28))]
    pub monthly_post_day: Option<u32>,
    /// Where, in words.
    pub places: Vec<String>,
    /// What, in words.
    pub contents: Vec<String>,
}

/// A mechanism that stays after the campaign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mechanism {
    #[schemars(regex(pattern = r"^[a-z][a-z0-9_]*$"))]
    pub key: String,
    #[schemars(length(min = 1))]
    pub label: String,
    #[schemars(length(min = 1))]
    pub contents: Vec<String>,
}

/// What follows from good or bad work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Consequence {
    /// When, in words.
    #[schemars(length(min = 1))]
    pub case: String,
    /// What then, in words.
    #[schemars(length(min = 1))]
    pub then: Vec<String>,
    /// Key of the office that decides.
    pub decided_by: String,
}

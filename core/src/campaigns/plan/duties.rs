use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::calendar::Limit;
pub use crate::calendar::OnRestDay;

/// Something an office has to do, again and again or once (履职事项).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Duty {
    #[schemars(regex(pattern = r"^[a-z][a-z0-9_]*$"))]
    pub key: String,
    #[schemars(length(min = 1))]
    pub label: String,
    /// Key of the office that has to do it.
    pub owner: String,
    /// Keys of offices that take part.
    #[serde(default)]
    pub with: Vec<String>,
    pub rhythm: Rhythm,
    /// What has to be handed in; none needed when the product itself knows that it was done.
    #[serde(default)]
    pub evidence: Vec<Evidence>,
    /// Runs from here; none: from the start of the campaign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<NaiveDate>,
    /// Runs until here; none: to the end of the campaign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<NaiveDate>,
    /// What exactly, in words.
    #[serde(default)]
    pub details: Vec<String>,
}

/// When a duty is due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "every", rename_all = "snake_case", deny_unknown_fields)]
pub enum Rhythm {
    /// On one date.
    Once {
        due_on: NaiveDate,
        #[serde(default)]
        on_rest_day: OnRestDay,
    },
    Week {
        weekday: WeekDay,
        #[serde(default)]
        on_rest_day: OnRestDay,
    },
    /// On the 15th and on the last day.
    HalfMonth {
        #[serde(default)]
        on_rest_day: OnRestDay,
    },
    Month {
        on: MonthDay,
    },
    /// In the first, second or third month of each quarter.
    Quarter {
        month: Quarter,
        on: MonthDay,
    },
    /// In one of the six months of each half-year.
    HalfYear {
        month: HalfYear,
        on: MonthDay,
    },
    Year {
        #[schemars(range(min = 1, max = 12))]
        month: u32,
        on: MonthDay,
    },
    /// `minute hour day month weekday`; weekdays by their English names. Only the dates count.
    Cron {
        expression: String,
    },
    /// Whenever a case comes up, within a limit from its day.
    Case {
        limit: Limit,
    },
    /// All the time, without dates.
    Standing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WeekDay {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

/// Which month of a quarter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Quarter {
    First,
    Second,
    Third,
}

/// Which month of a half-year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HalfYear {
    First,
    Second,
    Third,
    Fourth,
    Fifth,
    Sixth,
}

/// A day of a month: either `day` or `working_day`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MonthDay {
    /// 1–31; a month that is shorter takes its last day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 31))]
    pub day: Option<u32>,
    /// The nth working day; the last one when the month has fewer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 23))]
    pub working_day: Option<u32>,
    /// Only with `day`.
    #[serde(default)]
    pub on_rest_day: OnRestDay,
}

/// Something to be handed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    #[schemars(length(min = 1))]
    pub label: String,
    pub kind: EvidenceKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceKind {
    /// A few sentences: what was done, for whom, with what result.
    Text,
    Photo,
    File,
    /// A number, e.g. households visited.
    Figure,
}

/// For what there is one list each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    Township,
    Village,
    Unit,
    Cadre,
}

/// A list that has to exist (清单).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequiredList {
    #[schemars(regex(pattern = r"^[a-z][a-z0-9_]*$"))]
    pub key: String,
    #[schemars(length(min = 1))]
    pub label: String,
    pub per: Per,
    /// Key of the office that draws it up.
    pub owner: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_on: Option<NaiveDate>,
    #[serde(default)]
    pub columns: Vec<String>,
    /// To whom it goes or where it is shown, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goes_to: Option<String>,
    /// Shown to the public.
    #[serde(default)]
    pub published: bool,
}

//! What runs beside the API in its process, by which clock, and what it writes down.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bot {
    /// Whether the API process runs the bot, too. Off where `qingfeng-bot` runs as its own program.
    pub embedded: bool,
    /// Whether what staff wrote for a group waits until a second person has read it.
    pub second_person: bool,
    /// A message template of WeChat that failed so many different people is used no more until an operator lets it.
    pub template_failures: u32,
}

impl Default for Bot {
    fn default() -> Self {
        Self { embedded: true, second_person: true, template_failures: 5 }
    }
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClockShift {
    /// Moves the product's clock by so many seconds: for demonstrations at another hour. Never in production.
    pub shift_seconds: i64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sandbox {
    /// Whether the API process runs the platform simulator, too. Never in production.
    pub embedded: bool,
    pub bind: String,
}

impl Default for Sandbox {
    fn default() -> Self {
        Self { embedded: false, bind: "127.0.0.1:8090".into() }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// `text` or `json`.
    pub format: LogFormat,
    /// As in `info,qingfeng=debug`.
    pub level: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    Text,
    Json,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Text, level: "info".into() }
    }
}

//! What the platform answers to a message by a template.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{
    codes::{Meaning, Place, meaning},
    exchange,
};
use crate::delivery::Outcome;

/// The platform does not take the template itself, whatever is in the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplateTrouble {
    /// It says that there is none, which may pass.
    Doubted { code: i32, reason: String },
    /// It took the template away.
    Dead { code: i32, reason: String },
}

/// What an answer says of the message.
pub(super) fn taken(answer: &Value, now: DateTime<Utc>) -> Result<Outcome, TemplateTrouble> {
    let code = exchange::code(answer, "errcode").unwrap_or(0);
    let known = i32::try_from(code).unwrap_or_default();
    match meaning(Place::WeChatCall, code) {
        Meaning::Taken => Ok(Outcome::Taken(exchange::reference(answer))),
        Meaning::TemplateDoubted(reason) => Err(TemplateTrouble::Doubted { code: known, reason }),
        Meaning::TemplateDead(reason) => Err(TemplateTrouble::Dead { code: known, reason }),
        other => Ok(other.outcome(now)),
    }
}

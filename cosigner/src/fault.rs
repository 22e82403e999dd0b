//! Why something was not done.

use qingfeng_ballots::randomness::NoRandomness;
use sea_orm::DbErr;
use serde_json::Value;

/// What kind of refusal: decides the status of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    BadInput,
    Unauthenticated,
    NotFound,
    Conflict,
    Gone,
    TooLarge,
    TooManyRequests,
}

/// A refusal with a stable code for programs and a Chinese sentence for people.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    pub kind: Kind,
    pub code: &'static str,
    pub sentence: String,
    /// A member of the answer that tells a program how to go on.
    pub detail: Option<(&'static str, Value)>,
}

impl Refusal {
    #[must_use]
    pub fn new(kind: Kind, code: &'static str, sentence: impl Into<String>) -> Self {
        Self { kind, code, sentence: sentence.into(), detail: None }
    }

    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.detail = Some((name, value.into()));
        self
    }

    #[must_use]
    pub fn invalid(sentence: impl Into<String>) -> Self {
        Self::new(Kind::BadInput, "invalid_input", sentence)
    }

    #[must_use]
    pub fn conflict(code: &'static str, sentence: impl Into<String>) -> Self {
        Self::new(Kind::Conflict, code, sentence)
    }

    #[must_use]
    pub fn unknown_survey() -> Self {
        Self::new(Kind::NotFound, "unknown_survey", "没有这次测评。")
    }
}

/// Refused, or not possible now.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    #[error("{}: {}", .0.code, .0.sentence)]
    Refused(Box<Refusal>),
    /// Not the client's doing; the text is for the log.
    #[error("{0}")]
    Unavailable(String),
}

impl Fault {
    pub fn unavailable(cause: impl std::fmt::Display) -> Self {
        Self::Unavailable(cause.to_string())
    }

    /// The refusal's code, or nothing.
    #[must_use]
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::Refused(refusal) => Some(refusal.code),
            Self::Unavailable(_) => None,
        }
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

impl From<DbErr> for Fault {
    fn from(error: DbErr) -> Self {
        Self::unavailable(error)
    }
}

impl From<NoRandomness> for Fault {
    fn from(error: NoRandomness) -> Self {
        Self::unavailable(error)
    }
}

impl From<tokio::task::JoinError> for Fault {
    fn from(error: tokio::task::JoinError) -> Self {
        Self::unavailable(error)
    }
}

//! What the product says no with. Each part has an enum of its own refusals; here they take the one shape that HTTP,
//! the bot and the command line can show.

use serde::Serialize;

/// The family of a refusal; HTTP maps each to one status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum RefusalKind {
    BadInput,
    Unauthenticated,
    Forbidden,
    NotFound,
    /// Right request, wrong moment: the state of the thing does not allow it.
    Conflict,
    TooLarge,
    UnsupportedType,
    TooManyRequests,
    /// Our storage is full; trying later may work.
    StorageFull,
}

/// One input field that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldFault {
    /// JSON pointer to the field, e.g. `/title`.
    pub pointer: String,
    /// What is wrong with it, in Chinese.
    pub sentence: String,
    /// The words of the field that it is about, if single words are.
    pub words: Vec<String>,
}

impl FieldFault {
    pub fn new(pointer: impl Into<String>, sentence: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), sentence: sentence.into(), words: Vec::new() }
    }
}

/// A refusal that the person on the other side can understand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {sentence}")]
pub struct Refusal {
    pub kind: RefusalKind,
    /// Stable identifier that programs may rely on, e.g. `complaint_already_rated`.
    pub code: &'static str,
    /// A Chinese sentence that a villager understands.
    pub sentence: String,
    pub fields: Vec<FieldFault>,
}

impl Refusal {
    pub fn new(kind: RefusalKind, code: &'static str, sentence: impl Into<String>) -> Self {
        Self { kind, code, sentence: sentence.into(), fields: Vec::new() }
    }

    /// The input does not have the form asked for; each field is named.
    #[must_use]
    pub fn invalid(fields: Vec<FieldFault>) -> Self {
        Self {
            kind: RefusalKind::BadInput,
            code: "invalid_input",
            sentence: "填写的内容有误，请按提示修改。".into(),
            fields,
        }
    }

    /// There is no such thing, or it is not for this person to know that there is.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(RefusalKind::NotFound, "not_found", "没有找到，或者您无权查看。")
    }

    #[must_use]
    pub fn forbidden() -> Self {
        Self::new(RefusalKind::Forbidden, "forbidden", "您没有办理这件事的权限。")
    }

    #[must_use]
    pub fn with_field(mut self, pointer: &str, sentence: &str) -> Self {
        self.fields.push(FieldFault::new(pointer, sentence));
        self
    }
}

/// Why a service function did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The request cannot be granted.
    #[error(transparent)]
    Refused(Refusal),
    /// Another command came between what this one saw and what it wrote. Nothing was changed; trying again may work.
    #[error("overtaken by another command")]
    Overtaken,
    /// Something we stand on is out of order. Nothing was changed.
    #[error("{0}")]
    Unavailable(String),
}

impl Fault {
    pub fn refused(refusal: impl Into<Refusal>) -> Self {
        Self::Refused(refusal.into())
    }

    pub fn unavailable(cause: impl std::fmt::Display) -> Self {
        Self::Unavailable(cause.to_string())
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<sea_orm::DbErr> for Fault {
    fn from(error: sea_orm::DbErr) -> Self {
        if crate::storage::is_overtaken(&error) {
            return Self::Overtaken;
        }
        Self::Unavailable(format!("database: {error}"))
    }
}

//! Every error leaves as problem JSON (RFC 9457) with a stable code and a sentence that a villager understands.

use actix_web::{HttpResponse, ResponseError, http::StatusCode, http::header};
use qingfeng_core::refusal::{Fault, FieldFault, Refusal, RefusalKind};
use serde::Serialize;
use utoipa::ToSchema;

/// Body of an error answer, `application/problem+json`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// URI reference that identifies the kind of problem.
    #[serde(rename = "type")]
    #[schema(example = "/problems/invalid_input")]
    pub kind: String,
    pub title: String,
    pub status: u16,
    /// Stable identifier for programs.
    #[schema(example = "invalid_input")]
    pub code: String,
    /// A Chinese sentence to show to the person.
    pub detail: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ProblemField>,
}

/// One field that is wrong.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemField {
    /// JSON pointer into the request body.
    #[schema(example = "/title")]
    pub pointer: String,
    pub detail: String,
    /// The words of the field that it is about, if single words are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub words: Vec<String>,
}

/// A fault on its way out.
#[derive(Debug)]
pub struct HttpFault(Fault);

pub type Answer<T> = Result<T, HttpFault>;

impl<F: Into<Fault>> From<F> for HttpFault {
    fn from(fault: F) -> Self {
        Self(fault.into())
    }
}

impl std::fmt::Display for HttpFault {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(formatter)
    }
}

fn status(kind: RefusalKind) -> StatusCode {
    match kind {
        RefusalKind::BadInput => StatusCode::UNPROCESSABLE_ENTITY,
        RefusalKind::Unauthenticated => StatusCode::UNAUTHORIZED,
        RefusalKind::Forbidden => StatusCode::FORBIDDEN,
        RefusalKind::NotFound => StatusCode::NOT_FOUND,
        RefusalKind::Conflict => StatusCode::CONFLICT,
        RefusalKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        RefusalKind::UnsupportedType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        RefusalKind::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
        RefusalKind::StorageFull => StatusCode::INSUFFICIENT_STORAGE,
    }
}

impl ResponseError for HttpFault {
    fn status_code(&self) -> StatusCode {
        match &self.0 {
            Fault::Refused(refusal) => status(refusal.kind),
            Fault::Overtaken => StatusCode::CONFLICT,
            Fault::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn error_response(&self) -> HttpResponse {
        if let Fault::Unavailable(cause) = &self.0 {
            tracing::error!(%cause, "a request could not be served");
        }
        response(self)
    }
}

/// A fault of a request that nobody may be linked to: not even that it failed, and when, stands in the log.
#[derive(Debug)]
pub struct UnloggedFault(HttpFault);

impl<F: Into<Fault>> From<F> for UnloggedFault {
    fn from(fault: F) -> Self {
        Self(HttpFault(fault.into()))
    }
}

impl std::fmt::Display for UnloggedFault {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a request could not be served")
    }
}

impl ResponseError for UnloggedFault {
    fn status_code(&self) -> StatusCode {
        self.0.status_code()
    }

    fn error_response(&self) -> HttpResponse {
        response(&self.0)
    }
}

fn response(fault: &HttpFault) -> HttpResponse {
    let status = fault.status_code();
    let (code, detail, fields) = match &fault.0 {
        Fault::Refused(refusal) => (refusal.code, refusal.sentence.clone(), &refusal.fields[..]),
        Fault::Overtaken => ("overtaken", "刚刚有人更新了这件事，请刷新后再试。".to_owned(), &[][..]),
        Fault::Unavailable(_) => {
            ("temporarily_unavailable", "系统暂时不可用，请稍后再试；您填写的内容请不要关闭。".to_owned(), &[][..])
        }
    };
    let problem = Problem {
        kind: format!("/problems/{code}"),
        title: status.canonical_reason().unwrap_or("Error").to_owned(),
        status: status.as_u16(),
        code: code.to_owned(),
        detail,
        errors: fields
            .iter()
            .map(|FieldFault { pointer, sentence, words }| ProblemField {
                pointer: pointer.clone(),
                detail: sentence.clone(),
                words: words.clone(),
            })
            .collect(),
    };
    let body = serde_json::to_vec(&problem).expect("a problem serializes");
    HttpResponse::build(status)
        .insert_header((header::CONTENT_TYPE, "application/problem+json"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(body)
}

/// For parts of the web framework that report their own errors.
pub(super) fn bad_address(_: impl std::fmt::Debug) -> actix_web::Error {
    HttpFault::from(Refusal::new(RefusalKind::NotFound, "not_found", "没有这个页面，请检查地址。")).into()
}

// What was asked for may be personal: it is not logged.
pub(super) fn bad_query(_: &actix_web::error::QueryPayloadError) -> actix_web::Error {
    HttpFault::from(Refusal::new(RefusalKind::BadInput, "invalid_query", "查询条件的格式不对。")).into()
}

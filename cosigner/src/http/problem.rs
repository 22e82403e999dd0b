//! Every error leaves as problem JSON (RFC 9457) with a stable code and a Chinese sentence.

use actix_web::{HttpResponse, ResponseError, http::StatusCode, http::header};
use serde_json::{Map, Value};

use crate::fault::{Fault, Kind, Refusal};

/// A fault on its way out.
#[derive(Debug)]
pub struct HttpFault(Fault);

pub(super) type Answer<T> = Result<T, HttpFault>;

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

impl ResponseError for HttpFault {
    fn status_code(&self) -> StatusCode {
        match &self.0 {
            Fault::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Fault::Refused(refusal) => match refusal.kind {
                Kind::BadInput => StatusCode::UNPROCESSABLE_ENTITY,
                Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
                Kind::NotFound => StatusCode::NOT_FOUND,
                Kind::Conflict => StatusCode::CONFLICT,
                Kind::Gone => StatusCode::GONE,
                Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
                Kind::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
            },
        }
    }

    fn error_response(&self) -> HttpResponse {
        let status = self.status_code();
        let unavailable;
        let refusal = match &self.0 {
            Fault::Refused(refusal) => refusal.as_ref(),
            Fault::Unavailable(cause) => {
                tracing::error!(%cause, "a request could not be served");
                unavailable = Refusal::new(Kind::Gone, "temporarily_unavailable", "系统暂时不可用，请稍后再试。");
                &unavailable
            }
        };
        let mut problem = Map::from_iter([
            ("type".to_owned(), Value::from(format!("/problems/{}", refusal.code))),
            ("title".to_owned(), status.canonical_reason().unwrap_or("Error").into()),
            ("status".to_owned(), status.as_u16().into()),
            ("code".to_owned(), refusal.code.into()),
            ("detail".to_owned(), refusal.sentence.clone().into()),
        ]);
        if let Some((name, value)) = &refusal.detail {
            problem.insert((*name).to_owned(), value.clone());
        }
        HttpResponse::build(status)
            .insert_header((header::CONTENT_TYPE, "application/problem+json"))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .body(Value::Object(problem).to_string())
    }
}

pub(super) fn no_such_address() -> HttpFault {
    Refusal::new(Kind::NotFound, "not_found", "没有这个页面，请检查地址。").into()
}

//! For those without a phone: whoever holds the paper receipt follows and rates that one complaint.

use actix_web::{HttpRequest, HttpResponse, post, web};
use qingfeng_core::{
    complaints::{
        RECEIPT_LOOKS, RECEIPT_LOOKS_WINDOW, ReceiptCode, SatisfactionLevel,
        service::{self, NewRating, Rater},
    },
    people::{Actor, CodeDigest, SignInRefusal},
    refusal::{Fault, Refusal},
};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::view::{self, ComplaintView};
use crate::{
    Application,
    http::{
        input::{Input, sender},
        origin::is_one_too_many,
        problem::{Answer, Problem},
    },
};

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(follow).service(rate);
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReceiptLookup {
    /// As printed; case, spaces and dashes do not matter.
    receipt_code: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReceiptRating {
    receipt_code: String,
    level: SatisfactionLevel,
    #[serde(default)]
    comment: Option<String>,
}

async fn holder(application: &Application, request: &HttpRequest, code: &str) -> Result<(Actor, CodeDigest), Fault> {
    if is_one_too_many(application, request, "receipt", (RECEIPT_LOOKS, RECEIPT_LOOKS_WINDOW)).await? {
        return Err(Fault::refused(SignInRefusal::TooManyAttempts));
    }
    let code = ReceiptCode::parse(code)?.digest(&application.paper_codes);
    Ok((service::receipt_holder(&application.store, code.clone()).await?, code))
}

/// Follow a complaint with its receipt code. POST, so that the code stands in no address and no log.
#[utoipa::path(tag = "receipts", request_body = ReceiptLookup, responses(
    (status = 200, body = ComplaintView),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "`receipt_unknown`"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
    (status = 429, body = Problem, content_type = "application/problem+json"),
))]
#[post("/receipts/lookup")]
async fn follow(
    application: web::Data<Application>,
    request: HttpRequest,
    input: Input<ReceiptLookup>,
) -> Answer<web::Json<ComplaintView>> {
    let (actor, code) = holder(&application, &request, &input.value.receipt_code).await?;
    let Actor::Receipt { complaint, .. } = actor else { return Err(Refusal::not_found().into()) };
    Ok(web::Json(view::show(&application, &actor, Some(code.into_bytes()), complaint).await?))
}

/// Rate the answer with the receipt code.
#[utoipa::path(tag = "receipts", request_body = ReceiptRating,
    params(("Idempotency-Key" = Option<String>, Header, description = "made with the draft")),
    responses(
        (status = 204),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "`receipt_unknown`"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`already_rated`, `wrong_state`"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
        (status = 429, body = Problem, content_type = "application/problem+json"),
    ))]
#[post("/receipts/ratings")]
async fn rate(
    application: web::Data<Application>,
    request: HttpRequest,
    input: Input<ReceiptRating>,
) -> Answer<HttpResponse> {
    let (actor, code) = holder(&application, &request, &input.value.receipt_code).await?;
    let Actor::Receipt { complaint, county } = actor else { return Err(Refusal::not_found().into()) };
    let key = input.key(&sender(&actor), "rate_complaint")?;
    let calendar = application.calendar.of(county).await?;
    let rating = NewRating { level: input.value.level, comment: input.value.comment };
    service::rate(&application.store, &calendar, Rater::Receipt(&actor, &code), key, complaint, rating).await?;
    Ok(HttpResponse::NoContent().finish())
}

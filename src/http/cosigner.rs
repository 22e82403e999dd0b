//! What the co-signer's paper tool asks of the platform, signed with the co-signer's log key.

use actix_web::{HttpRequest, HttpResponse, post, put, web};
use qingfeng_ballots::{Hex, close::Slips};
use qingfeng_core::{
    refusal::{Fault, Refusal, RefusalKind},
    sealed_surveys::{
        BallotBoxId, SealedSurveyRefusal,
        service::{keep_slips, sign_slips},
    },
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::problem::{Answer, Problem};
use crate::{
    Application,
    cosigner::{SIGNATURE, is_request_of},
    sealed_surveys::advance,
};

/// Two thousand slips with their signatures, in hexadecimal.
const LARGEST_BATCH: usize = 8 * 1024 * 1024;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(sign).service(keep);
}

/// Blinded messages of a batch of paper slips, each 256 bytes in hexadecimal.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaperBatch {
    #[schema(value_type = String)]
    sid: BallotBoxId,
    #[schema(value_type = Vec<String>)]
    a: Vec<Hex<256>>,
    #[schema(value_type = Vec<String>)]
    d: Vec<Hex<256>>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct SignedPaperBatch {
    #[schema(value_type = Vec<String>)]
    sa: Vec<Hex<256>>,
    #[schema(value_type = Vec<String>)]
    sd: Vec<Hex<256>>,
}

/// Sign the paper slips of a box, once, before its opening. Only the co-signer may ask.
#[utoipa::path(tag = "sealed surveys", request_body = PaperBatch, responses(
    (status = 200, body = SignedPaperBatch),
    (status = 401, body = Problem, content_type = "application/problem+json", description = "`not_the_cosigner`"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "`wrong_slips`, `slips_signed`, `sealed_survey_state`"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
#[post("/cosigner/paper")]
async fn sign(application: web::Data<Application>, request: HttpRequest, body: web::Payload) -> Answer<HttpResponse> {
    let body = from_cosigner(&application, &request, body).await?;
    let batch: PaperBatch = serde_json::from_slice(&body).map_err(|_| unreadable())?;
    if batch.a.len() != batch.d.len() {
        return Err(Refusal::from(SealedSurveyRefusal::WrongSlips).into());
    }
    let wishes = batch.a.into_iter().zip(batch.d).collect();
    let signed = sign_slips(&application.store, &application.sealer, batch.sid, wishes).await?;
    let (sa, sd) = signed.into_iter().map(|signed| (signed.sa, signed.sd)).unzip();
    Ok(HttpResponse::Ok().json(SignedPaperBatch { sa, sd }))
}

/// Keep the public halves of the paper slips, before the opening. Only the co-signer may ask.
#[utoipa::path(tag = "sealed surveys", params(("sid" = String, Path)),
    request_body(content = String, content_type = "application/json", description = "`paper.json`, as in docs/survey-bundle.md"), responses(
    (status = 204),
    (status = 401, body = Problem, content_type = "application/problem+json", description = "`not_the_cosigner`"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "`wrong_slips`, `slips_signed`, `sealed_survey_state`"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
#[put("/cosigner/paper/{sid}")]
async fn keep(
    application: web::Data<Application>,
    path: web::Path<BallotBoxId>,
    request: HttpRequest,
    body: web::Payload,
) -> Answer<HttpResponse> {
    let body = from_cosigner(&application, &request, body).await?;
    let slips: Slips = serde_json::from_slice(&body).map_err(|_| unreadable())?;
    keep_slips(&application.store, *path, slips).await?;
    // Now the quorum can sign the manifest; if it does not answer, within minutes.
    advance(&application, *path).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The body of a request that the pinned co-signer has signed.
async fn from_cosigner(
    application: &Application,
    request: &HttpRequest,
    body: web::Payload,
) -> Result<web::Bytes, Fault> {
    let stranger = || Refusal::new(RefusalKind::Unauthenticated, "not_the_cosigner", "请求没有共签方的签名。");
    let signature = request.headers().get(SIGNATURE).and_then(|value| value.to_str().ok()).and_then(Hex::<64>::parse);
    let signature = signature.ok_or_else(stranger)?;
    let body = body
        .to_bytes_limited(LARGEST_BATCH)
        .await
        .map_err(|_| Refusal::new(RefusalKind::TooLarge, "body_too_large", "内容太长，请缩短后再提交。"))?;
    let body =
        body.map_err(|_| Refusal::new(RefusalKind::BadInput, "body_unreadable", "内容没有传完整，请重新提交。"))?;
    let key = application.quorum.cosigner_key().await.ok().flatten().ok_or_else(stranger)?;
    let address = request.uri().path_and_query().map_or(request.path(), |address| address.as_str());
    if !is_request_of(&key, request.method().as_str(), address, &body, &signature) {
        return Err(stranger().into());
    }
    Ok(body)
}

fn unreadable() -> Refusal {
    Refusal::new(RefusalKind::BadInput, "invalid_json", "请求的格式不对，请更新后再试。")
}

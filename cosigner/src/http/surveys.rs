//! What the platform asks, each request signed with its log key.

use actix_web::{HttpRequest, HttpResponse, web};
use qingfeng_ballots::messages::SurveyId;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    input::{Body, LARGEST_OPERATOR_BODY, from_platform, json},
    problem::{Answer, HttpFault, no_such_address},
};
use crate::{Authority, fault::Refusal};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.service(
        web::scope("/v1")
            .app_data(web::PayloadConfig::new(LARGEST_OPERATOR_BODY))
            .route("/roll", web::get().to(roll))
            .route("/surveys", web::post().to(agree))
            .route("/surveys/{sid}/checkpoints", web::post().to(extend_log))
            .route("/surveys/{sid}/channel", web::post().to(register))
            .route("/surveys/{sid}/envelopes", web::put().to(take_envelopes))
            .route("/surveys/{sid}/close", web::post().to(close))
            .route("/surveys/{sid}/count", web::get().to(counted))
            .route("/surveys/{sid}/cancel", web::post().to(cancel)),
    );
}

type Shared = web::Data<Authority>;

fn survey(path: &web::Path<String>) -> Result<SurveyId, HttpFault> {
    SurveyId::parse(path).ok_or_else(no_such_address)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RollQuery {
    village: Uuid,
}

async fn roll(authority: Shared, request: HttpRequest, body: Body) -> Answer<HttpResponse> {
    from_platform(&authority, &request, body)?;
    let query = web::Query::<RollQuery>::from_query(request.query_string())
        .map_err(|_| Refusal::invalid("查询条件的格式不对。"))?;
    Ok(HttpResponse::Ok().json(authority.roll_of(query.village).await?))
}

async fn agree(authority: Shared, request: HttpRequest, body: Body) -> Answer<HttpResponse> {
    let proposal = json(&from_platform(&authority, &request, body)?)?;
    Ok(HttpResponse::Ok().json(authority.agree(proposal).await?))
}

async fn extend_log(
    authority: Shared,
    request: HttpRequest,
    path: web::Path<String>,
    body: Body,
) -> Answer<HttpResponse> {
    let extension = json(&from_platform(&authority, &request, body)?)?;
    Ok(HttpResponse::Ok().json(authority.extend_log(&survey(&path)?, extension).await?))
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Register {
    resident: Uuid,
    channel: PaperChannel,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum PaperChannel {
    Paper,
}

async fn register(
    authority: Shared,
    request: HttpRequest,
    path: web::Path<String>,
    body: Body,
) -> Answer<HttpResponse> {
    let Register { resident, channel: PaperChannel::Paper } = json(&from_platform(&authority, &request, body)?)?;
    authority.register_paper(&survey(&path)?, resident).await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn take_envelopes(
    authority: Shared,
    request: HttpRequest,
    path: web::Path<String>,
    body: Body,
) -> Answer<HttpResponse> {
    let envelopes = from_platform(&authority, &request, body)?;
    authority.take_envelopes(&survey(&path)?, &envelopes).await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn close(authority: Shared, request: HttpRequest, path: web::Path<String>, body: Body) -> Answer<HttpResponse> {
    let closed = json(&from_platform(&authority, &request, body)?)?;
    let state = authority.close(&survey(&path)?, &closed).await?;
    Ok(HttpResponse::Accepted().json(serde_json::json!({ "state": state })))
}

async fn counted(authority: Shared, request: HttpRequest, path: web::Path<String>, body: Body) -> Answer<HttpResponse> {
    from_platform(&authority, &request, body)?;
    Ok(HttpResponse::Ok().json(authority.counted(&survey(&path)?).await?))
}

async fn cancel(authority: Shared, request: HttpRequest, path: web::Path<String>, body: Body) -> Answer<HttpResponse> {
    from_platform(&authority, &request, body)?;
    authority.cancel(&survey(&path)?).await?;
    Ok(HttpResponse::NoContent().finish())
}

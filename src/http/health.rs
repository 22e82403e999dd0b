//! For the machines that watch over this one.

use actix_web::{HttpResponse, get, web};
use qingfeng_bot::{alarms, template_misfits};
use sea_orm::ConnectionTrait;
use utoipa_actix_web::service_config::ServiceConfig;

use super::problem::Answer;
use crate::Application;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(alive).service(ready);
}

/// The process runs.
#[utoipa::path(tag = "operation", responses((status = 200, body = String, content_type = "text/plain", description = "alive")))]
#[get("/healthz")]
async fn alive() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ok")
}

/// The process can serve: database and cache answer. Says `degraded` and what, when scheduled jobs fail, a platform refuses us, a
/// template is used no more or not the configured one, or events were given up: people are served all the same, but messages are
/// missing.
#[utoipa::path(tag = "operation", responses(
    (status = 200, body = String, content_type = "text/plain", description = "ready"),
    (status = 503, body = super::problem::Problem, content_type = "application/problem+json"),
))]
#[get("/readyz")]
async fn ready(application: web::Data<Application>) -> Answer<HttpResponse> {
    application.store.reader().execute_unprepared("SELECT 1").await?;
    application.cache.get("ready").await?;
    let mut lines = alarms::lines(&application.store).await?;
    let (mini_program, official) = (&application.config.wechat, &application.config.official_account);
    let accounts = [Some(&mini_program.app_id), official.as_ref().map(|account| &account.app_id)];
    lines.extend(template_misfits(&*application.cache, accounts.into_iter().flatten().map(String::as_str)).await?);
    let body = if lines.is_empty() { "ok".to_owned() } else { format!("degraded\n{}", lines.join("\n")) };
    Ok(HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(body))
}

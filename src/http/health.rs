//! For the machines that watch over this one.

use actix_web::{HttpResponse, get, web};
use qingfeng_bot::{schedule::failing_jobs, template_misfits};
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

/// The process can serve: database and cache answer. Says `degraded` and what, when scheduled jobs fail or WeChat's templates are
/// not the configured ones: people are served all the same, but reminders are not written, or do not arrive.
#[utoipa::path(tag = "operation", responses(
    (status = 200, body = String, content_type = "text/plain", description = "ready"),
    (status = 503, body = super::problem::Problem, content_type = "application/problem+json"),
))]
#[get("/readyz")]
async fn ready(application: web::Data<Application>) -> Answer<HttpResponse> {
    application.store.reader().execute_unprepared("SELECT 1").await?;
    application.cache.get("ready").await?;
    let failing = failing_jobs(&application.store).await?;
    let jobs = failing
        .iter()
        .map(|job| format!("\n{} failed {} times since {}", job.job, job.failures, job.since.to_rfc3339()));
    let misfits = template_misfits(&*application.cache, &application.config.wechat.app_id).await?;
    let lines: Vec<_> = jobs.chain(misfits.iter().map(|misfit| format!("\n{misfit}"))).collect();
    let body = if lines.is_empty() { "ok".to_owned() } else { format!("degraded{}", lines.concat()) };
    Ok(HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(body))
}

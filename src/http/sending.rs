//! The stop switch: all sending of the installation.

use actix_web::{HttpResponse, get, post, web};
use chrono::{DateTime, Utc};
use qingfeng_core::{
    outbox::stops,
    people::authorization::{Action, Subject, may},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    authentication::SignedIn,
    complaints::{Nothing, county},
    input::Input,
    problem::{Answer, Problem},
};
use crate::Application;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(state).service(stop_sending).service(resume_sending);
}

/// Whether messages are sent.
#[derive(Debug, Serialize, ToSchema)]
pub struct SendingState {
    stopped: bool,
    /// Why.
    reason: Option<String>,
    since: Option<DateTime<Utc>>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SendingStop {
    reason: String,
}

/// Whether messages are sent, of the whole installation.
#[utoipa::path(tag = "sending", security(("access_token" = [])), responses(
    (status = 200, body = SendingState),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
#[get("/sending")]
async fn state(application: web::Data<Application>, person: SignedIn) -> Answer<web::Json<SendingState>> {
    let county = county(&person.actor)?;
    may(&person.actor, Action::ManageSystem, &Subject { county: Some(county), ..Subject::default() })?;
    let stop = stops::in_force(application.store.reader()).await?;
    let stopped = stop.is_some();
    let (reason, since) = stop.map(|stop| (stop.reason, stop.since)).unzip();
    Ok(web::Json(SendingState { stopped, reason, since }))
}

/// Stop all sending at once; what is due waits.
#[utoipa::path(tag = "sending", security(("access_token" = [])), request_body = SendingStop,
    params(("Idempotency-Key" = Option<String>, Header, description = "made with the draft")),
    responses(
        (status = 204),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`sending_stopped`"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    ))]
#[post("/sending/stop")]
async fn stop_sending(
    application: web::Data<Application>,
    person: SignedIn,
    input: Input<SendingStop>,
) -> Answer<HttpResponse> {
    let command = input.command(&person.actor, "stop_sending")?;
    stops::stop(&application.store, &command, county(&person.actor)?, &input.value.reason).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Let sending go on.
#[utoipa::path(tag = "sending", security(("access_token" = [])), request_body = Nothing,
    params(("Idempotency-Key" = Option<String>, Header, description = "made with the draft")),
    responses(
        (status = 204),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`sending_not_stopped`"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    ))]
#[post("/sending/resumption")]
async fn resume_sending(
    application: web::Data<Application>,
    person: SignedIn,
    input: Input<Nothing>,
) -> Answer<HttpResponse> {
    let command = input.command(&person.actor, "resume_sending")?;
    stops::resume(&application.store, &command, county(&person.actor)?).await?;
    Ok(HttpResponse::NoContent().finish())
}

use actix_web::{HttpResponse, post, web};
use chrono::NaiveDate;
use qingfeng_core::{
    complaints::service,
    deadlines::extensions::Decision,
    ids::{ComplaintId, ExtensionId},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::acts::county;
use crate::{
    Application,
    http::{
        authentication::SignedIn,
        input::Input,
        problem::{Answer, Problem},
    },
};

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(request).service(decide);
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExtensionRequest {
    pub new_due_on: NaiveDate,
    /// Told to those concerned when the extension is granted.
    pub reason: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct RequestedExtension {
    pub id: ExtensionId,
}

#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Approve,
    Refuse,
}

impl From<Verdict> for Decision {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Approve => Self::Approve,
            Verdict::Refuse => Self::Refuse,
        }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExtensionDecision {
    pub decision: Verdict,
    pub reason: String,
}

/// Ask for more time.
#[utoipa::path(tag = "complaints", security(("access_token" = [])), request_body = ExtensionRequest,
    params(("Idempotency-Key" = Option<String>, Header, description = "made with the draft")),
    responses(
        (status = 201, body = RequestedExtension),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`no_open_deadline`, `extension_pending`, `extension_used_up`"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    ))]
#[post("/complaints/{id}/extensions")]
async fn request(
    application: web::Data<Application>,
    person: SignedIn,
    id: web::Path<ComplaintId>,
    input: Input<ExtensionRequest>,
) -> Answer<HttpResponse> {
    let command = input.command(&person.actor, &format!("request_extension:{id}"))?;
    let county = county(&person.actor)?;
    let ExtensionRequest { new_due_on, reason } = &input.value;
    let requested = service::request_extension(&application.store, &command, county, *id, *new_due_on, reason).await?;
    Ok(HttpResponse::Created().json(RequestedExtension { id: requested.value }))
}

/// Decide on a request for more time; not on one's own.
#[utoipa::path(tag = "complaints", security(("access_token" = [])), request_body = ExtensionDecision,
    params(("Idempotency-Key" = Option<String>, Header, description = "made with the draft")),
    responses(
        (status = 204),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "`own_request`"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`extension_decided`"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    ))]
#[post("/complaints/extensions/{id}/decision")]
async fn decide(
    application: web::Data<Application>,
    person: SignedIn,
    id: web::Path<ExtensionId>,
    input: Input<ExtensionDecision>,
) -> Answer<HttpResponse> {
    let command = input.command(&person.actor, &format!("decide_extension:{id}"))?;
    let county = county(&person.actor)?;
    let ExtensionDecision { decision, reason } = &input.value;
    service::decide_extension(&application.store, &command, county, *id, (*decision).into(), reason).await?;
    Ok(HttpResponse::NoContent().finish())
}

//! The public keys of an office's people. The private ones are made in their browsers and stay with them.

use actix_web::{HttpResponse, get, post, web};
use qingfeng_core::{
    ids::{OrganizationId, ReportKeyId},
    refusal::Refusal,
    reports,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    Application,
    http::{
        act::act,
        authentication::SignedIn,
        complaints::Nothing,
        input::Input,
        problem::{Answer, Problem},
    },
};

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(report_keys).service(publish_report_key).service(retire_report_key);
}

/// A public key that reports are sealed to.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReportKey {
    id: ReportKeyId,
    /// `age1…`
    recipient: String,
    /// Whose it is.
    name: String,
    mine: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct OfficeReportKeys {
    office_id: OrganizationId,
    name: String,
    keys: Vec<ReportKey>,
}

/// The disciplinary offices in which I hold a post, and their keys.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReportKeys {
    offices: Vec<OfficeReportKeys>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewReportKey {
    office_id: OrganizationId,
    /// `age1…`
    recipient: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct PublishedReportKey {
    id: ReportKeyId,
}

/// The keys to which reports to my offices are sealed.
#[utoipa::path(tag = "sealed reports", security(("access_token" = [])), responses(
    (status = 200, body = ReportKeys),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
#[get("/sealed-reports/keys")]
async fn report_keys(application: web::Data<Application>, person: SignedIn) -> Answer<web::Json<ReportKeys>> {
    let me = person.actor.staff().map(|staff| staff.id);
    let offices = reports::keys_seen_by(&application.store, &person.actor)
        .await?
        .into_iter()
        .map(|office| OfficeReportKeys {
            office_id: office.office,
            name: office.name,
            keys: office
                .keys
                .into_iter()
                .map(|key| ReportKey {
                    mine: me == Some(key.staff),
                    id: key.id,
                    recipient: key.recipient,
                    name: key.name,
                })
                .collect(),
        })
        .collect();
    Ok(web::Json(ReportKeys { offices }))
}

/// From now on reports to the office are sealed to my new key too, and no more to my former one.
#[utoipa::path(tag = "sealed reports", security(("access_token" = [])), request_body = NewReportKey,
    params(("Idempotency-Key" = Option<String>, Header, description = "made with the draft")),
    responses(
        (status = 201, body = PublishedReportKey),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`report_key_used`"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    ))]
#[post("/sealed-reports/keys")]
async fn publish_report_key(
    application: web::Data<Application>,
    person: SignedIn,
    input: Input<NewReportKey>,
) -> Answer<HttpResponse> {
    let command = input.command(&person.actor, "publish_report_key")?;
    let county = person.actor.county().ok_or_else(Refusal::not_found)?;
    let NewReportKey { office_id, recipient } = input.value;
    let done = reports::publish_key(&application.store, &command, county, office_id, recipient).await?;
    Ok(HttpResponse::Created().json(PublishedReportKey { id: done.value }))
}

act!(
    /// No report is sealed to this key any more, e.g. because its file is lost.
    retire_report_key, "sealed reports", ReportKeyId, "/sealed-reports/keys/{id}/retirement", Nothing, "retire_report_key",
    |application, command, county, id, _value| reports::retire_key(&application.store, &command, county, id)
);

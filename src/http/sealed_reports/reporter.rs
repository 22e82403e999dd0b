//! Reporters. No sign-in is looked at, no key of a draft, and nothing is logged.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, get, post, web};
use qingfeng_ballots::Hex;
use qingfeng_core::{
    clock::shanghai_date,
    ids::OrganizationId,
    refusal::{Fault, FieldFault, Refusal},
    reports::{self, NewReport, Office, ReportRefusal, State},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{SealedReportPart, envelope};
use crate::{
    Application,
    http::{
        input::Input,
        origin::is_one_too_many,
        problem::{Problem, UnloggedFault},
    },
};

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(report_offices)
        .service(submit_sealed_report)
        .service(follow_sealed_report)
        .service(add_to_sealed_report);
}

/// A disciplinary office that can receive sealed reports.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReportOffice {
    id: OrganizationId,
    name: String,
    /// Public keys, `age1…`: a report is sealed to all of them.
    keys: Vec<String>,
}

impl From<Office> for ReportOffice {
    fn from(Office { id, name, keys }: Office) -> Self {
        Self { id, name, keys }
    }
}

/// Where a report from a township can go.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReportOffices {
    own: Option<ReportOffice>,
    /// For what concerns the township's leaders or its disciplinary office.
    above: Option<ReportOffice>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SealedReportDraft {
    office_id: OrganizationId,
    /// 32 bytes in hexadecimal, derived from the reporter's code, which stays on the phone.
    lookup: String,
    /// Base 64 of an age file of the one size.
    sealed: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SealedReportLookup {
    lookup: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SealedReportAddition {
    lookup: String,
    sealed: String,
}

/// A report as whoever has its code sees it.
#[derive(Debug, Serialize, ToSchema)]
pub struct FollowedReport {
    state: State,
    /// To whose keys additions are sealed; none while the office has none.
    office: Option<ReportOffice>,
    parts: Vec<SealedReportPart>,
}

fn lookup(text: &str) -> Result<[u8; 32], Refusal> {
    let read = Hex::<32>::parse(text).map(|lookup| lookup.0);
    read.ok_or_else(|| Refusal::invalid(vec![FieldFault::new("/lookup", "查询码的格式不对。")]))
}

/// Requests about reports from one address. A village may share one, so it is generous; codes are too long to be guessed anyway.
const LOOKS: u32 = 120;
const LOOKS_WINDOW: Duration = Duration::from_secs(10 * 60);

/// Keeps one place from filling the shelf; which place, nobody can read, nor that it was the same on another day.
async fn admit(application: &Application, request: &HttpRequest) -> Result<(), Fault> {
    let about = format!("sealed_reports {}", shanghai_date(application.store.clock().now()));
    if is_one_too_many(application, request, &about, (LOOKS, LOOKS_WINDOW)).await? {
        return Err(Fault::refused(ReportRefusal::TooManyRequests));
    }
    Ok(())
}

/// The disciplinary offices that a report from this township can be sealed to.
#[utoipa::path(tag = "sealed reports", params(("id" = OrganizationId, Path)), responses(
    (status = 200, body = ReportOffices),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
#[get("/townships/{id}/report-offices")]
async fn report_offices(
    application: web::Data<Application>,
    path: web::Path<OrganizationId>,
) -> Result<web::Json<ReportOffices>, UnloggedFault> {
    let reports::ReceivingOffices { own, above } = reports::receiving(&application.store, *path).await?;
    Ok(web::Json(ReportOffices { own: own.map(Into::into), above: above.map(Into::into) }))
}

/// Send a report that was sealed on the phone. The same one, sent again, is there once.
#[utoipa::path(tag = "sealed reports", request_body = SealedReportDraft, responses(
    (status = 204),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "`office_not_receiving`, `report_code_taken`"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
    (status = 429, body = Problem, content_type = "application/problem+json"),
))]
#[post("/sealed-reports")]
async fn submit_sealed_report(
    application: web::Data<Application>,
    request: HttpRequest,
    input: Input<SealedReportDraft>,
) -> Result<HttpResponse, UnloggedFault> {
    admit(&application, &request).await?;
    let draft = input.value;
    let new = NewReport { office: draft.office_id, lookup: lookup(&draft.lookup)?, sealed: envelope(&draft.sealed)? };
    reports::submit(&application.store, new).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// What has become of a report, and its envelopes. POST, so that what it is looked up by stands in no address.
#[utoipa::path(tag = "sealed reports", request_body = SealedReportLookup, responses(
    (status = 200, body = FollowedReport),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "`report_unknown`"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
    (status = 429, body = Problem, content_type = "application/problem+json"),
))]
#[post("/sealed-reports/lookup")]
async fn follow_sealed_report(
    application: web::Data<Application>,
    request: HttpRequest,
    input: Input<SealedReportLookup>,
) -> Result<web::Json<FollowedReport>, UnloggedFault> {
    admit(&application, &request).await?;
    let followed = reports::follow(&application.store, &lookup(&input.value.lookup)?).await?;
    Ok(web::Json(FollowedReport {
        state: followed.state,
        office: followed.office.map(Into::into),
        parts: followed.parts.into_iter().map(Into::into).collect(),
    }))
}

/// Add to a report. The same envelope, sent again, is there once.
#[utoipa::path(tag = "sealed reports", request_body = SealedReportAddition, responses(
    (status = 204),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "`report_unknown`"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "`too_many_additions`"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
    (status = 429, body = Problem, content_type = "application/problem+json"),
))]
#[post("/sealed-reports/additions")]
async fn add_to_sealed_report(
    application: web::Data<Application>,
    request: HttpRequest,
    input: Input<SealedReportAddition>,
) -> Result<HttpResponse, UnloggedFault> {
    admit(&application, &request).await?;
    let SealedReportAddition { lookup: by, sealed } = input.value;
    reports::add(&application.store, &lookup(&by)?, envelope(&sealed)?).await?;
    Ok(HttpResponse::NoContent().finish())
}

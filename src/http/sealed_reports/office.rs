//! The officers of the receiving office. To everybody else no report exists: 404, never 403.

use actix_web::{get, post, web};
use chrono::NaiveDate;
use qingfeng_core::{
    calendar::Calendar,
    ids::{OrganizationId, SealedReportId},
    refusal::Refusal,
    reports::{self, Decision, ListedReport, State, TOLD_WITHIN},
    storage::Command,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::{SealedReportPart, envelope};
use crate::{
    Application,
    http::{
        act::act,
        authentication::SignedIn,
        problem::{Answer, Problem},
    },
};

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(sealed_reports)
        .service(read_sealed_report)
        .service(decide_sealed_report)
        .service(answer_sealed_report);
}

/// A report in the office's list.
#[derive(Debug, Serialize, ToSchema)]
pub struct SealedReportItem {
    id: SealedReportId,
    office_id: OrganizationId,
    received_on: NaiveDate,
    /// By then whoever signed with a name is told whether it is taken on; none once that is decided, or while the calendar of that
    /// year is unknown.
    tell_by: Option<NaiveDate>,
    state: State,
    /// The reporter wrote last.
    waits: bool,
}

impl SealedReportItem {
    fn of(report: ListedReport, calendar: &Calendar) -> Self {
        let tell_by = calendar.due_date(report.received_on, TOLD_WITHIN).due_on;
        Self {
            id: report.id,
            office_id: report.office,
            received_on: report.received_on,
            tell_by: tell_by.filter(|_| report.state == State::Received),
            state: report.state,
            waits: report.waits,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct SealedReports {
    items: Vec<SealedReportItem>,
    /// Give this as `after` for the next page.
    next: Option<SealedReportId>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct SealedReportDetail {
    report: SealedReportItem,
    parts: Vec<SealedReportPart>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// The last report of the page before.
    after: Option<SealedReportId>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SealedReportVerdict {
    decision: Decision,
    /// The answer, sealed to the reporter and the office.
    sealed: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SealedReportAnswer {
    /// Sealed to the reporter and the office.
    sealed: String,
}

/// The reports to my offices, oldest first.
#[utoipa::path(tag = "sealed reports", security(("access_token" = [])), params(ListQuery), responses(
    (status = 200, body = SealedReports),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
#[get("/sealed-reports")]
async fn sealed_reports(
    application: web::Data<Application>,
    person: SignedIn,
    query: web::Query<ListQuery>,
) -> Answer<web::Json<SealedReports>> {
    let page = reports::list(&application.store, &person.actor, query.after).await?;
    let calendar = application.calendar.of(person.actor.county().ok_or_else(Refusal::not_found)?).await?;
    let items = page.items.into_iter().map(|report| SealedReportItem::of(report, &calendar)).collect();
    Ok(web::Json(SealedReports { items, next: page.next }))
}

/// The envelopes of a report, to be opened in the browser. Every look is recorded.
#[utoipa::path(tag = "sealed reports", security(("access_token" = [])), params(("id" = SealedReportId, Path)), responses(
    (status = 200, body = SealedReportDetail),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
#[get("/sealed-reports/{id}")]
async fn read_sealed_report(
    application: web::Data<Application>,
    person: SignedIn,
    path: web::Path<SealedReportId>,
) -> Answer<web::Json<SealedReportDetail>> {
    let county = person.actor.county().ok_or_else(Refusal::not_found)?;
    let command = Command::by(&person.actor);
    let (report, parts) = reports::read(&application.store, &command, county, *path).await?;
    let calendar = application.calendar.of(county).await?;
    let parts = parts.into_iter().map(Into::into).collect();
    Ok(web::Json(SealedReportDetail { report: SealedReportItem::of(report, &calendar), parts }))
}

act!(
    /// Decide whether the report is the office's, with a sealed answer.
    decide_sealed_report, "sealed reports", SealedReportId, "/sealed-reports/{id}/decision", SealedReportVerdict, "decide_sealed_report",
    |application, command, county, id, value| {
        let SealedReportVerdict { decision, sealed } = value;
        reports::decide(&application.store, &command, county, id, decision, readable(&sealed))
    }
);

act!(
    /// Answer the reporter.
    answer_sealed_report, "sealed reports", SealedReportId, "/sealed-reports/{id}/answers", SealedReportAnswer, "answer_sealed_report",
    |application, command, county, id, value|
        reports::answer(&application.store, &command, county, id, readable(&value.sealed))
);

/// What is no base 64 is no envelope either, which is said to those only who may know of the report.
fn readable(sealed: &str) -> Vec<u8> {
    envelope(sealed).unwrap_or_default()
}

//! Duties of the running campaigns: what falls due when, and handing in.

use actix_web::{HttpResponse, get, post, web};
use chrono::{DateTime, NaiveDate, Utc};
use qingfeng_core::{
    campaigns::{
        self, DutyState, HandedIn,
        plan::{Evidence, EvidenceKind},
        queries::{self, DutyWithDeadline, Filter, PAGE},
    },
    evidence,
    ids::{CampaignId, DutyId, FileId, OrganizationId, StaffId},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    authentication::SignedIn,
    complaints::county,
    input::Input,
    problem::{Answer, Problem},
};
use crate::Application;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(list).service(detail).service(complete);
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    state: Option<DutyState>,
    unit_id: Option<OrganizationId>,
    /// The `next` of the page before.
    after: Option<DutyId>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct DutyLine {
    id: DutyId,
    campaign_id: CampaignId,
    title: String,
    unit_id: OrganizationId,
    staff_id: Option<StaffId>,
    state: DutyState,
    /// None while the calendar of that year is unknown.
    due_on: Option<NaiveDate>,
    /// How the date was worked out.
    explanation: String,
    completed_at: Option<DateTime<Utc>>,
}

impl From<DutyWithDeadline> for DutyLine {
    fn from(seen: DutyWithDeadline) -> Self {
        Self {
            id: seen.duty.id,
            campaign_id: seen.duty.campaign_id,
            title: seen.duty.title,
            unit_id: seen.duty.unit_id,
            staff_id: seen.duty.staff_id,
            state: seen.duty.state,
            due_on: seen.deadline.as_ref().and_then(|deadline| deadline.due_on),
            explanation: seen.deadline.map(|deadline| deadline.explanation).unwrap_or_default(),
            completed_at: seen.duty.completed_at,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct DutyPage {
    items: Vec<DutyLine>,
    next: Option<DutyId>,
}

/// The duties of my unit, or of my township, in the order in which they were opened.
#[utoipa::path(tag = "duties", security(("access_token" = [])), params(ListQuery), responses(
    (status = 200, body = DutyPage),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
#[get("/duties")]
async fn list(
    application: web::Data<Application>,
    person: SignedIn,
    query: web::Query<ListQuery>,
) -> Answer<web::Json<DutyPage>> {
    let filter = Filter { state: query.state, unit: query.unit_id, after: query.after };
    let rows = queries::duties(&application.store, &person.actor, filter).await?;
    let next = if rows.len() as u64 == PAGE { rows.last().map(|seen| seen.duty.id) } else { None };
    Ok(web::Json(DutyPage { items: rows.into_iter().map(DutyLine::from).collect(), next }))
}

/// Something to be handed in.
#[derive(Debug, Serialize, ToSchema)]
pub struct AskedFor {
    label: String,
    kind: AskedForKind,
}

#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AskedForKind {
    Text,
    Photo,
    File,
    Figure,
}

impl From<Evidence> for AskedFor {
    fn from(evidence: Evidence) -> Self {
        let kind = match evidence.kind {
            EvidenceKind::Text => AskedForKind::Text,
            EvidenceKind::Photo => AskedForKind::Photo,
            EvidenceKind::File => AskedForKind::File,
            EvidenceKind::Figure => AskedForKind::Figure,
        };
        Self { label: evidence.label, kind }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct DutyDetail {
    #[serde(flatten)]
    duty: DutyLine,
    /// What exactly, in words.
    details: Vec<String>,
    asked_for: Vec<AskedFor>,
    handed_in: Option<HandedIn>,
    photos: Vec<FileId>,
}

/// One duty, what it asks for and what was handed in.
#[utoipa::path(tag = "duties", security(("access_token" = [])), responses(
    (status = 200, body = DutyDetail),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
#[get("/duties/{id}")]
async fn detail(
    application: web::Data<Application>,
    person: SignedIn,
    id: web::Path<DutyId>,
) -> Answer<web::Json<DutyDetail>> {
    let store = &application.store;
    let seen = queries::duty(store, &person.actor, *id).await?;
    let asked_for = queries::asked_for(store.reader(), &seen.duty).await?;
    let (details, evidence) = asked_for.map(|duty| (duty.details, duty.evidence)).unwrap_or_default();
    let photos = evidence::attached_to(store.reader(), [seen.duty.id.0]).await?;
    let handed_in = seen.duty.evidence.clone().and_then(|kept| serde_json::from_value(kept).ok());
    Ok(web::Json(DutyDetail {
        duty: seen.into(),
        details,
        asked_for: evidence.into_iter().map(AskedFor::from).collect(),
        handed_in,
        photos: photos.into_iter().map(|photo| photo.file_id).collect(),
    }))
}

/// Hand in what the duty asks for; it is done.
#[utoipa::path(tag = "duties", security(("access_token" = [])), request_body = HandedIn,
    params(("Idempotency-Key" = Option<String>, Header, description = "made with the draft")),
    responses(
        (status = 204, description = "done"),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    ))]
#[post("/duties/{id}/completion")]
async fn complete(
    application: web::Data<Application>,
    person: SignedIn,
    id: web::Path<DutyId>,
    input: Input<HandedIn>,
) -> Answer<HttpResponse> {
    let command = input.command(&person.actor, &format!("complete_duty:{id}"))?;
    let county = county(&person.actor)?;
    campaigns::complete_duty(&application.store, &command, county, *id, input.value).await?;
    Ok(HttpResponse::NoContent().finish())
}

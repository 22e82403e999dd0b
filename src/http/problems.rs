//! The problem list.

use actix_web::{HttpResponse, get, post, web};
use chrono::{DateTime, Utc};
use qingfeng_core::{
    complaints::queries::PAGE,
    ids::{CampaignId, ComplaintId, OrganizationId, ProblemId},
    people::concerns::Concerns,
    problems::{self, NewProblem, Way, entity::problems::Model},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    authentication::SignedIn,
    input::Input,
    problem::{Answer, Problem},
};
use crate::Application;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(record).service(list);
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProblemDraft {
    village_id: OrganizationId,
    #[serde(default)]
    campaign_id: Option<CampaignId>,
    way: Way,
    /// Key in the campaign's taxonomy.
    category: String,
    #[serde(default)]
    title: Option<String>,
    /// In original words; they are never edited.
    words: String,
    #[serde(default)]
    concerns: Concerns,
    /// Complaints it was found by.
    #[serde(default)]
    complaint_ids: Vec<ComplaintId>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct RecordedProblem {
    id: ProblemId,
}

/// Put a problem on the list.
#[utoipa::path(tag = "problems", security(("access_token" = [])), request_body = ProblemDraft,
    params(("Idempotency-Key" = Option<String>, Header, description = "made with the draft")),
    responses(
        (status = 201, body = RecordedProblem),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    ))]
#[post("/problems")]
async fn record(
    application: web::Data<Application>,
    person: SignedIn,
    input: Input<ProblemDraft>,
) -> Answer<HttpResponse> {
    let command = input.command(&person.actor, "record_problem")?;
    let draft = input.value;
    let new = NewProblem {
        village: draft.village_id,
        campaign: draft.campaign_id,
        way: draft.way,
        category: draft.category,
        title: draft.title,
        words: draft.words,
        concerns: draft.concerns,
        complaints: draft.complaint_ids,
    };
    let recorded = problems::record(&application.store, &command, new).await?;
    Ok(HttpResponse::Created().json(RecordedProblem { id: recorded.value }))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    village_id: Option<OrganizationId>,
    /// The `next` of the page before.
    before: Option<ProblemId>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemLine {
    id: ProblemId,
    number: String,
    village_id: OrganizationId,
    way: Way,
    category: String,
    title: String,
    words: String,
    solved: bool,
    recorded_at: DateTime<Utc>,
}

impl From<Model> for ProblemLine {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            number: row.number,
            village_id: row.village_id,
            way: row.way,
            category: row.category,
            title: row.title,
            words: row.words,
            solved: row.solved,
            recorded_at: row.recorded_at,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemPage {
    items: Vec<ProblemLine>,
    next: Option<ProblemId>,
}

/// The problems I may see, newest first.
#[utoipa::path(tag = "problems", security(("access_token" = [])), params(ListQuery), responses(
    (status = 200, body = ProblemPage),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
#[get("/problems")]
async fn list(
    application: web::Data<Application>,
    person: SignedIn,
    query: web::Query<ListQuery>,
) -> Answer<web::Json<ProblemPage>> {
    let rows = problems::list(&application.store, &person.actor, query.village_id, query.before).await?;
    let next = if rows.len() as u64 == PAGE { rows.last().map(|row| row.id) } else { None };
    Ok(web::Json(ProblemPage { items: rows.into_iter().map(ProblemLine::from).collect(), next }))
}

use actix_web::{HttpResponse, get, post, web};
use qingfeng_core::{
    complaints::{
        Category, Channel, State, queries,
        service::{self, Filed, NewComplaint, OnBehalf},
    },
    ids::{ComplaintId, FileId, OrganizationId},
    people::concerns::Concerns,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    acts::county,
    view::{self, ComplaintLine, ComplaintView},
};
use crate::{
    Application,
    http::{
        authentication::SignedIn,
        input::Input,
        problem::{Answer, Problem},
    },
};

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(submit).service(register_on_behalf).service(list).service(show);
}

/// What somebody wants to say. Only `body` has to be there.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ComplaintDraft {
    #[serde(default)]
    title: Option<String>,
    /// In the resident's own words, at most 2000 characters.
    body: String,
    #[serde(default)]
    place: String,
    #[serde(default = "other")]
    category: Category,
    /// From `POST /api/files`, at most nine.
    #[serde(default)]
    photos: Vec<FileId>,
    /// The unit or person it is about, if any: they are kept out of the handling.
    #[serde(default)]
    concerns: Concerns,
    /// It accuses a cadre of breaking rules: refused here and led to the sealed way; nothing is kept.
    #[serde(default)]
    is_accusation: bool,
}

fn other() -> Category {
    Category::Other
}

impl From<ComplaintDraft> for NewComplaint {
    fn from(draft: ComplaintDraft) -> Self {
        Self {
            title: draft.title,
            body: draft.body,
            place: draft.place,
            category: draft.category,
            photos: draft.photos,
            concerns: draft.concerns,
            is_accusation: draft.is_accusation,
        }
    }
}

/// A complaint that staff write down for somebody.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ComplaintOnBehalf {
    village_id: OrganizationId,
    channel: Channel,
    complaint: ComplaintDraft,
}

/// What the resident gets back.
#[derive(Debug, Serialize, ToSchema)]
pub struct FiledComplaint {
    id: ComplaintId,
    number: String,
    /// For offline residents: to be printed and handed over; it is kept nowhere.
    receipt_code: Option<String>,
}

impl From<Filed> for FiledComplaint {
    fn from(filed: Filed) -> Self {
        Self { id: filed.id, number: filed.number, receipt_code: filed.receipt_code }
    }
}

/// File a complaint.
#[utoipa::path(tag = "complaints", security(("access_token" = [])), request_body = ComplaintDraft,
    params(("Idempotency-Key" = Option<String>, Header, description = "made with the draft")),
    responses(
        (status = 201, body = FiledComplaint),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "a photo that is not there"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`belongs_to_sealed_reports`, `idempotency_key_reused`"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    ))]
#[post("/complaints")]
async fn submit(
    application: web::Data<Application>,
    person: SignedIn,
    input: Input<ComplaintDraft>,
) -> Answer<HttpResponse> {
    let command = input.command(&person.actor, "submit_complaint")?;
    let calendar = application.calendar.of(county(&person.actor)?).await?;
    let filed = service::submit(&application.store, &calendar, &command, input.value.into()).await?;
    Ok(HttpResponse::Created().json(FiledComplaint::from(filed.value)))
}

/// Write down a complaint for somebody without a phone.
#[utoipa::path(tag = "complaints", security(("access_token" = [])), request_body = ComplaintOnBehalf,
    params(("Idempotency-Key" = Option<String>, Header, description = "made with the draft")),
    responses(
        (status = 201, body = FiledComplaint),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    ))]
#[post("/complaints/on-behalf")]
async fn register_on_behalf(
    application: web::Data<Application>,
    person: SignedIn,
    input: Input<ComplaintOnBehalf>,
) -> Answer<HttpResponse> {
    let command = input.command(&person.actor, "register_complaint")?;
    let calendar = application.calendar.of(county(&person.actor)?).await?;
    let how = OnBehalf { village: input.value.village_id, channel: input.value.channel };
    let new = input.value.complaint.into();
    let filed =
        service::register_on_behalf(&application.store, &calendar, &application.paper_codes, &command, new, how)
            .await?;
    Ok(HttpResponse::Created().json(FiledComplaint::from(filed.value)))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    state: Option<State>,
    village_id: Option<OrganizationId>,
    /// The `next` of the page before.
    before: Option<ComplaintId>,
}

/// A page, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct ComplaintPage {
    items: Vec<ComplaintLine>,
    /// To be given as `before` for the next page; none on the last.
    next: Option<ComplaintId>,
}

/// The complaints I may see: a resident's own, a unit's, a township's.
#[utoipa::path(tag = "complaints", security(("access_token" = [])), params(ListQuery), responses(
    (status = 200, body = ComplaintPage),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
#[get("/complaints")]
async fn list(
    application: web::Data<Application>,
    person: SignedIn,
    query: web::Query<ListQuery>,
) -> Answer<web::Json<ComplaintPage>> {
    let filter = queries::Filter { state: query.state, village: query.village_id, before: query.before };
    let rows = queries::list(&application.store, &person.actor, filter).await?;
    let next = if rows.len() as u64 == queries::PAGE { rows.last().map(|row| row.id) } else { None };
    Ok(web::Json(ComplaintPage { items: rows.into_iter().map(ComplaintLine::from).collect(), next }))
}

/// A complaint with its history.
#[utoipa::path(tag = "complaints", security(("access_token" = [])), responses(
    (status = 200, body = ComplaintView),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
#[get("/complaints/{id}")]
async fn show(
    application: web::Data<Application>,
    person: SignedIn,
    id: web::Path<ComplaintId>,
) -> Answer<web::Json<ComplaintView>> {
    Ok(web::Json(view::show(&application, &person.actor, None, *id).await?))
}

//! Suggestions for merging.

use actix_web::{get, web};
use qingfeng_core::{
    complaints::{self, Similar},
    ids::ComplaintId,
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::view::ComplaintLine;
use crate::{
    Application,
    http::{
        authentication::SignedIn,
        problem::{Answer, Problem},
    },
};

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(similar);
}

/// An earlier complaint that may be about the same matter.
#[derive(Debug, Serialize, ToSchema)]
pub struct SimilarComplaint {
    complaint: ComplaintLine,
    /// In per cent.
    likeness: u32,
}

/// The most alike first.
#[derive(Debug, Serialize, ToSchema)]
pub struct SimilarComplaints {
    items: Vec<SimilarComplaint>,
}

impl From<Similar> for SimilarComplaint {
    fn from(found: Similar) -> Self {
        Self { complaint: found.complaint.into(), likeness: found.likeness }
    }
}

/// Earlier open complaints that may be about the same matter, for the office to merge.
#[utoipa::path(tag = "complaints", security(("access_token" = [])), responses(
    (status = 200, body = SimilarComplaints),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
#[get("/complaints/{id}/similar")]
async fn similar(
    application: web::Data<Application>,
    person: SignedIn,
    id: web::Path<ComplaintId>,
) -> Answer<web::Json<SimilarComplaints>> {
    let found = complaints::similar(&application.store, &person.actor, *id).await?;
    Ok(web::Json(SimilarComplaints { items: found.into_iter().map(SimilarComplaint::from).collect() }))
}

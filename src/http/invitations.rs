//! Invitations for residents who lost theirs, or whose was used up.

use actix_web::{post, web};
use chrono::{DateTime, Utc};
use qingfeng_core::{ids::ResidentId, people::invitations};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    authentication::SignedIn,
    complaints::Nothing,
    input::Input,
    problem::{Answer, Problem},
};
use crate::Application;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(find).service(replace);
}

#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SoughtResident {
    /// The whole name.
    #[schema(min_length = 1)]
    name: String,
}

/// Somebody on a roster that I keep.
#[derive(Debug, Serialize, ToSchema)]
pub struct ResidentOnRoster {
    id: ResidentId,
    name: String,
    village_name: String,
    /// Village group or natural village.
    neighbourhood: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ResidentsOnRoster {
    items: Vec<ResidentOnRoster>,
}

/// A code, shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewInvitation {
    code: String,
    expires_at: DateTime<Utc>,
}

/// Find residents by their whole name, to give one of them an invitation. There is no list without a name, and names stand in no
/// address.
#[utoipa::path(tag = "residents", security(("access_token" = [])), request_body = SoughtResident,
    responses(
        (status = 200, body = ResidentsOnRoster),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    ))]
#[post("/residents/search")]
async fn find(
    application: web::Data<Application>,
    person: SignedIn,
    input: Input<SoughtResident>,
) -> Answer<web::Json<ResidentsOnRoster>> {
    let found = invitations::find(&application.store, &person.actor, input.value.name.trim()).await?;
    let items = found
        .into_iter()
        .map(|known| ResidentOnRoster {
            id: known.id,
            name: known.name,
            village_name: known.village,
            neighbourhood: known.neighbourhood,
        })
        .collect();
    Ok(web::Json(ResidentsOnRoster { items }))
}

/// Make an invitation in the place of those that a resident has. Every request makes another one: the code is kept nowhere, so
/// that no repetition could get the same.
#[utoipa::path(tag = "residents", security(("access_token" = [])), request_body = Nothing,
    params(("id" = ResidentId, Path)),
    responses(
        (status = 200, body = NewInvitation),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    ))]
#[post("/residents/{id}/invitation")]
async fn replace(
    application: web::Data<Application>,
    person: SignedIn,
    path: web::Path<ResidentId>,
    _input: Input<Nothing>,
) -> Answer<web::Json<NewInvitation>> {
    let made = invitations::replace(&application.store, &application.paper_codes, &person.actor, *path).await?;
    Ok(web::Json(NewInvitation { code: made.code, expires_at: made.expires_at }))
}

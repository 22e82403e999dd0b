//! Posts that people put into ordinary chat groups by hand.

use actix_web::{HttpResponse, get, post, web};
use chrono::{DateTime, Utc};
use qingfeng_core::{
    groups::prepared::{self, PAGE, Prepared, PreparedState},
    ids::{MessageId, OrganizationId},
    refusal::Refusal,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    act::act,
    authentication::SignedIn,
    complaints::Nothing,
    problem::{Answer, Problem},
};
use crate::Application;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(list).service(detail).service(picture).service(confirm);
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PreparedPostsQuery {
    state: Option<PreparedState>,
    /// The last one of the page before.
    before: Option<MessageId>,
}

/// A post that waits to be put into a group, or was.
#[derive(Debug, Serialize, ToSchema)]
pub struct PreparedPost {
    id: MessageId,
    /// Name of the group.
    group: String,
    village_id: OrganizationId,
    /// To be copied as it stands.
    text: String,
    /// Opens the matter; to be sent along.
    link: String,
    /// Whether there is a picture with the mini-program's code.
    has_picture: bool,
    state: PreparedState,
    prepared_at: DateTime<Utc>,
    posted_at: Option<DateTime<Utc>>,
}

impl From<Prepared> for PreparedPost {
    fn from(Prepared { post, group }: Prepared) -> Self {
        Self {
            id: post.id,
            group,
            village_id: post.village_id,
            text: post.text,
            link: post.link,
            has_picture: post.picture.is_some(),
            state: post.state,
            prepared_at: post.prepared_at,
            posted_at: post.posted_at,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct PreparedPosts {
    items: Vec<PreparedPost>,
    next: Option<MessageId>,
}

/// The posts that I may put into groups, latest first.
#[utoipa::path(tag = "prepared posts", security(("access_token" = [])), params(PreparedPostsQuery), responses(
    (status = 200, body = PreparedPosts),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
#[get("/prepared-posts")]
async fn list(
    application: web::Data<Application>,
    person: SignedIn,
    query: web::Query<PreparedPostsQuery>,
) -> Answer<web::Json<PreparedPosts>> {
    let rows = prepared::list(&application.store, &person.actor, query.state, query.before).await?;
    let next = if rows.len() as u64 == PAGE { rows.last().map(|row| row.post.id) } else { None };
    Ok(web::Json(PreparedPosts { items: rows.into_iter().map(PreparedPost::from).collect(), next }))
}

/// One post, as it is to be put into its group.
#[utoipa::path(tag = "prepared posts", security(("access_token" = [])), responses(
    (status = 200, body = PreparedPost),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
#[get("/prepared-posts/{id}")]
async fn detail(
    application: web::Data<Application>,
    person: SignedIn,
    id: web::Path<MessageId>,
) -> Answer<web::Json<PreparedPost>> {
    Ok(web::Json(prepared::detail(&application.store, &person.actor, *id).await?.into()))
}

/// The picture to be sent along: the mini-program's code.
#[utoipa::path(tag = "prepared posts", security(("access_token" = [])), responses(
    (status = 200, content_type = "image/png"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
#[get("/prepared-posts/{id}/picture")]
async fn picture(
    application: web::Data<Application>,
    person: SignedIn,
    id: web::Path<MessageId>,
) -> Answer<HttpResponse> {
    let seen = prepared::detail(&application.store, &person.actor, *id).await?;
    let picture = seen.post.picture.ok_or_else(Refusal::not_found)?;
    let media_type = if picture.starts_with(&[0xff, 0xd8]) { "image/jpeg" } else { "image/png" };
    Ok(HttpResponse::Ok()
        .content_type(media_type)
        .insert_header(("cache-control", "private, max-age=3600"))
        .body(picture))
}

act!(
    /// Say that the post is in the group.
    confirm, "prepared posts", MessageId, "/prepared-posts/{id}/confirmation", Nothing, "confirm_post",
    |application, command, county, id, _value| prepared::confirm(&application.store, &command, county, id)
);

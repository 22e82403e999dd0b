//! The person who is signed in.

use actix_web::{get, web};
use qingfeng_core::{
    ids::{OrganizationId, PostId, ResidentId},
    people::{
        Actor, OrganizationKind, Role,
        entity::{organizations, posts, residents, staff},
    },
    refusal::{Fault, Refusal},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    authentication::SignedIn,
    problem::{Answer, Problem},
};
use crate::Application;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(me);
}

/// Who I am, as the product knows me.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Me {
    Resident { id: ResidentId, name: String, village: Place, township: Place },
    Staff { name: String, posts: Vec<MyPost> },
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Place {
    pub id: OrganizationId,
    pub kind: OrganizationKind,
    pub name: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct MyPost {
    id: PostId,
    role: Role,
    role_label: &'static str,
    title: String,
    organization: Place,
    /// The township above, or the township itself.
    township_id: Option<OrganizationId>,
}

/// The person who is signed in.
#[utoipa::path(tag = "me", security(("access_token" = [])), responses(
    (status = 200, body = Me),
    (status = 401, body = Problem, content_type = "application/problem+json"),
))]
#[get("/me")]
async fn me(application: web::Data<Application>, person: SignedIn) -> Answer<web::Json<Me>> {
    let connection = application.store.reader();
    let gone = || Fault::from(Refusal::not_found());
    let me = match &person.actor {
        Actor::Resident(resident) => {
            let row = residents::Entity::find_by_id(resident.id).one(connection).await?.ok_or_else(gone)?;
            let places = places(&application, &[resident.village, resident.township]).await?;
            let place = |id| places.iter().find(|place| place.id == id).cloned().ok_or_else(gone);
            Me::Resident {
                id: row.id,
                name: row.name,
                village: place(resident.village)?,
                township: place(resident.township)?,
            }
        }
        Actor::Staff(member) => {
            let row = staff::Entity::find_by_id(member.id).one(connection).await?.ok_or_else(gone)?;
            let ids: Vec<_> = member.posts.iter().map(|post| post.organization).collect();
            let places = places(&application, &ids).await?;
            let titles = posts::Entity::find()
                .filter(posts::Column::Id.is_in(member.posts.iter().map(|post| post.id)))
                .all(connection)
                .await?;
            let posts = member
                .posts
                .iter()
                .filter_map(|post| {
                    Some(MyPost {
                        id: post.id,
                        role: post.role,
                        role_label: post.role.label(),
                        title: titles.iter().find(|row| row.id == post.id)?.title.clone(),
                        organization: places.iter().find(|place| place.id == post.organization)?.clone(),
                        township_id: post.township,
                    })
                })
                .collect();
            Me::Staff { name: row.name, posts }
        }
        Actor::Visitor | Actor::Receipt { .. } | Actor::System { .. } => return Err(gone().into()),
    };
    Ok(web::Json(me))
}

async fn places(application: &Application, ids: &[OrganizationId]) -> Result<Vec<Place>, Fault> {
    let rows = organizations::Entity::find()
        .filter(organizations::Column::Id.is_in(ids.iter().copied()))
        .all(application.store.reader())
        .await?;
    Ok(rows.into_iter().map(|row| Place { id: row.id, kind: row.kind, name: row.name }).collect())
}

//! The units and people of my township, for choosing where something goes.

use actix_web::{get, web};
use qingfeng_core::{
    clock::shanghai_date,
    ids::{OrganizationId, StaffId},
    people::{
        Actor, OrganizationKind, Role,
        authorization::{Action, Subject, may},
        entity::{organizations, posts, staff},
    },
    refusal::Refusal,
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    authentication::SignedIn,
    problem::{Answer, Problem},
};
use crate::Application;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(units);
}

/// A unit and who works there.
#[derive(Debug, Serialize, ToSchema)]
pub struct Unit {
    id: OrganizationId,
    kind: OrganizationKind,
    name: String,
    staff: Vec<Colleague>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Colleague {
    id: StaffId,
    name: String,
    title: String,
    role: Role,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Units {
    township_id: OrganizationId,
    items: Vec<Unit>,
}

/// The villages and departments of my township; the office also sees who holds which post.
#[utoipa::path(tag = "organizations", security(("access_token" = [])), responses(
    (status = 200, body = Units),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
#[get("/organizations")]
async fn units(application: web::Data<Application>, person: SignedIn) -> Answer<web::Json<Units>> {
    let connection = application.store.reader();
    let township = match &person.actor {
        Actor::Resident(resident) => Some(resident.township),
        Actor::Staff(staff) => staff.posts.iter().find_map(|post| post.township),
        _ => None,
    }
    .ok_or_else(Refusal::not_found)?;
    let places = organizations::Entity::find()
        .filter(organizations::Column::CountyId.eq(person.actor.county().ok_or_else(Refusal::not_found)?))
        .filter(
            Condition::any()
                .add(organizations::Column::ParentId.eq(township))
                .add(organizations::Column::Id.eq(township)),
        )
        .order_by_asc(organizations::Column::Code)
        .all(connection)
        .await?;
    let subject = Subject { county: person.actor.county(), township: Some(township), ..Subject::default() };
    let (mut held, mut people) = (Vec::new(), Vec::new());
    if may(&person.actor, Action::ViewStaff, &subject).is_ok() {
        let today = shanghai_date(application.store.clock().now());
        held = posts::Entity::find()
            .filter(posts::Column::OrganizationId.is_in(places.iter().map(|place| place.id)))
            .filter(posts::Column::FromDate.lte(today))
            .filter(Condition::any().add(posts::Column::ToDate.is_null()).add(posts::Column::ToDate.gte(today)))
            .order_by_asc(posts::Column::Id)
            .all(connection)
            .await?;
        people = staff::Entity::find()
            .filter(staff::Column::Id.is_in(held.iter().map(|post| post.staff_id)))
            .filter(staff::Column::Active.eq(true))
            .all(connection)
            .await?;
    }
    let items = places
        .into_iter()
        .map(|place| Unit {
            staff: held
                .iter()
                .filter(|post| post.organization_id == place.id)
                .filter_map(|post| {
                    let person = people.iter().find(|person| person.id == post.staff_id)?;
                    Some(Colleague {
                        id: person.id,
                        name: person.name.clone(),
                        title: post.title.clone(),
                        role: post.role,
                    })
                })
                .collect(),
            id: place.id,
            kind: place.kind,
            name: place.name,
        })
        .collect();
    Ok(web::Json(Units { township_id: township, items }))
}

//! Who is away, and who stands in.

use actix_web::{get, post, web};
use chrono::NaiveDate;
use qingfeng_core::{
    clock::shanghai_date,
    ids::{AbsenceId, StaffId},
    people::{
        absences::{self, NewAbsence},
        entity::{posts, staff},
    },
    refusal::Refusal,
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    act::act,
    authentication::SignedIn,
    complaints::{Nothing, county},
    input::Input,
    problem::{Answer, Problem},
};
use crate::Application;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(list).service(record).service(end);
}

/// Some days on which I am away.
#[derive(Debug, Serialize, ToSchema)]
pub struct Absence {
    id: AbsenceId,
    deputy_id: StaffId,
    from: NaiveDate,
    /// The last day.
    to: NaiveDate,
}

/// Somebody of my unit.
#[derive(Debug, Serialize, ToSchema)]
pub struct PossibleDeputy {
    id: StaffId,
    name: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Absences {
    items: Vec<Absence>,
    /// Who could stand in.
    deputies: Vec<PossibleDeputy>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AbsenceDraft {
    /// Who is away; without it, I am.
    #[serde(default)]
    staff_id: Option<StaffId>,
    deputy_id: StaffId,
    from: NaiveDate,
    /// The last day.
    to: NaiveDate,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct RecordedAbsence {
    id: AbsenceId,
}

/// When I am away from today on, and who could stand in.
#[utoipa::path(tag = "absences", security(("access_token" = [])), responses(
    (status = 200, body = Absences),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
))]
#[get("/absences")]
async fn list(application: web::Data<Application>, person: SignedIn) -> Answer<web::Json<Absences>> {
    let member = person.actor.staff().ok_or_else(Refusal::forbidden)?;
    let (store, today) = (&application.store, shanghai_date(application.store.clock().now()));
    let items = absences::coming(store, member.id, today)
        .await?
        .into_iter()
        .map(|row| Absence { id: row.id, deputy_id: row.deputy_staff_id, from: row.from_date, to: row.to_date })
        .collect();
    let held = posts::Entity::find()
        .filter(posts::Column::OrganizationId.is_in(member.posts.iter().map(|post| post.organization)))
        .filter(posts::Column::FromDate.lte(today))
        .filter(Condition::any().add(posts::Column::ToDate.is_null()).add(posts::Column::ToDate.gte(today)))
        .all(store.reader())
        .await?;
    let colleagues = staff::Entity::find()
        .filter(staff::Column::Id.is_in(held.into_iter().map(|post| post.staff_id)))
        .filter(staff::Column::Id.ne(member.id))
        .filter(staff::Column::Active.eq(true))
        .order_by_asc(staff::Column::Name)
        .all(store.reader())
        .await?;
    let deputies = colleagues.into_iter().map(|row| PossibleDeputy { id: row.id, name: row.name }).collect();
    Ok(web::Json(Absences { items, deputies }))
}

/// Say that somebody will be away, and who gets the messages meanwhile.
#[utoipa::path(tag = "absences", security(("access_token" = [])), request_body = AbsenceDraft,
    params(("Idempotency-Key" = Option<String>, Header, description = "made with the draft")),
    responses(
        (status = 200, body = RecordedAbsence),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "`absence_overlaps`, `deputy_absent`"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    ))]
#[post("/absences")]
async fn record(
    application: web::Data<Application>,
    person: SignedIn,
    input: Input<AbsenceDraft>,
) -> Answer<web::Json<RecordedAbsence>> {
    let command = input.command(&person.actor, "record_absence")?;
    let AbsenceDraft { staff_id, deputy_id, from, to } = input.value;
    let staff = staff_id.or(person.actor.staff().map(|staff| staff.id)).ok_or_else(Refusal::forbidden)?;
    let new = NewAbsence { staff, deputy: deputy_id, from, to };
    let done = absences::record(&application.store, &command, county(&person.actor)?, new).await?;
    Ok(web::Json(RecordedAbsence { id: done.value }))
}

act!(
    /// Say that somebody is back.
    end, "absences", AbsenceId, "/absences/{id}/end", Nothing, "end_absence",
    |application, command, county, id, _value| absences::end(&application.store, &command, county, id)
);

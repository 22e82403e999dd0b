use std::collections::HashMap;

use chrono::NaiveDate;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};

use super::{
    HeldPost, OrganizationKind, Resident, Role, Staff,
    entity::{organizations, posts, recusals, residents, staff},
};
use crate::{
    ids::{OrganizationId, ResidentId, StaffId},
    refusal::Fault,
    storage::Store,
};

/// The member of staff with the posts held on this day; none when unknown or no longer active.
///
/// # Errors
/// When the database does not answer.
pub async fn load_staff(store: &Store, id: StaffId, on: NaiveDate) -> Result<Option<Staff>, Fault> {
    staff_in(store.reader(), id, on).await
}

/// The same, inside a transaction.
pub(crate) async fn staff_in(
    connection: &impl ConnectionTrait,
    id: StaffId,
    on: NaiveDate,
) -> Result<Option<Staff>, Fault> {
    let Some(person) = staff::Entity::find_by_id(id).one(connection).await?.filter(|person| person.active) else {
        return Ok(None);
    };
    let held = posts::Entity::find().filter(posts::Column::StaffId.eq(id)).filter(held_on(on)).all(connection).await?;
    let places = organizations::Entity::find()
        .filter(organizations::Column::Id.is_in(held.iter().map(|post| post.organization_id)))
        .all(connection)
        .await?;
    let mut posts: Vec<_> = held
        .into_iter()
        .filter_map(|post| {
            let place = places.iter().find(|place| place.id == post.organization_id)?;
            let township = match place.kind {
                OrganizationKind::County => None,
                OrganizationKind::Township => Some(place.id),
                OrganizationKind::Village | OrganizationKind::Department => place.parent_id,
            };
            let organization_kind = place.kind;
            Some(HeldPost { id: post.id, role: post.role, organization: place.id, organization_kind, township })
        })
        .collect();
    posts.sort_by_key(|post| post.id);
    let interests = recusals::Entity::find().filter(recusals::Column::StaffId.eq(id)).all(connection).await?;
    Ok(Some(Staff {
        id,
        county: person.county_id,
        posts,
        recused_from_staff: interests.iter().filter_map(|interest| interest.from_staff_id).collect(),
        recused_from_organizations: interests.iter().filter_map(|interest| interest.from_organization_id).collect(),
    }))
}

/// Who holds one of these posts of an organization on this day.
///
/// # Errors
/// When the database does not answer.
pub async fn holders(
    connection: &impl ConnectionTrait,
    organization: OrganizationId,
    roles: &[Role],
    on: NaiveDate,
) -> Result<Vec<StaffId>, Fault> {
    let held = posts::Entity::find()
        .filter(posts::Column::OrganizationId.eq(organization))
        .filter(posts::Column::Role.is_in(roles.iter().copied()))
        .filter(held_on(on))
        .order_by_asc(posts::Column::Id)
        .all(connection)
        .await?;
    let mut staff: Vec<_> = held.into_iter().map(|post| post.staff_id).collect();
    staff.dedup();
    Ok(staff)
}

/// The resident; none when unknown or no longer on a roster.
///
/// # Errors
/// When the database does not answer.
pub async fn load_resident(store: &Store, id: ResidentId) -> Result<Option<Resident>, Fault> {
    let person = residents::Entity::find_by_id(id).one(store.reader()).await?.filter(|person| person.active);
    Ok(person.map(|person| Resident {
        id,
        county: person.county_id,
        township: person.township_id,
        village: person.village_id,
        also_staff: person.staff_id,
    }))
}

/// The names of these members of staff.
///
/// # Errors
/// When the database does not answer.
pub async fn names(
    connection: &impl ConnectionTrait,
    people: impl Iterator<Item = StaffId>,
) -> Result<HashMap<StaffId, String>, Fault> {
    let people: Vec<_> = people.collect();
    if people.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = staff::Entity::find().filter(staff::Column::Id.is_in(people)).all(connection).await?;
    Ok(rows.into_iter().map(|person| (person.id, person.name)).collect())
}

/// What these members of staff are on this day: unit and title of each post they hold, the oldest post first. None for who holds none.
///
/// # Errors
/// When the database does not answer.
pub async fn titles(
    connection: &impl ConnectionTrait,
    people: impl Iterator<Item = StaffId>,
    on: NaiveDate,
) -> Result<HashMap<StaffId, Vec<String>>, Fault> {
    let held = posts::Entity::find()
        .filter(posts::Column::StaffId.is_in(people))
        .filter(held_on(on))
        .order_by_asc(posts::Column::Id)
        .all(connection)
        .await?;
    let units = organizations::Entity::find()
        .filter(organizations::Column::Id.is_in(held.iter().map(|post| post.organization_id)))
        .all(connection)
        .await?;
    let mut titles: HashMap<_, Vec<String>> = HashMap::new();
    for post in held {
        let unit = units.iter().find(|unit| unit.id == post.organization_id).map_or("", |unit| unit.name.as_str());
        // Many a title names the unit itself: 东河村党支部书记.
        let title = if post.title.contains(unit) { post.title } else { format!("{unit} {}", post.title) };
        titles.entry(post.staff_id).or_default().push(title);
    }
    Ok(titles)
}

/// The posts that are held on this day.
fn held_on(on: NaiveDate) -> Condition {
    Condition::all()
        .add(posts::Column::FromDate.lte(on))
        .add(Condition::any().add(posts::Column::ToDate.is_null()).add(posts::Column::ToDate.gte(on)))
}

use chrono::NaiveDate;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};

use super::entity::keys;
use crate::{
    clock::shanghai_date,
    ids::OrganizationId,
    people::{OrganizationKind, Role, entity::organizations, holders},
    refusal::{Fault, Refusal},
    storage::Store,
};

/// A disciplinary office that can receive sealed reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Office {
    pub id: OrganizationId,
    pub name: String,
    /// `age1…`, of everybody in office who has one: a report is sealed to all of them.
    pub keys: Vec<String>,
}

/// Where a report from a township can go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivingOffices {
    /// The township's own.
    pub own: Option<Office>,
    /// The one above: for what concerns the leaders of the township or its disciplinary office (监督执纪工作规则 art. 15: a report about
    /// the own chief goes straight to the next level).
    pub above: Option<Office>,
}

/// What the office is called; none for places that have none.
pub(super) fn name(place: &organizations::Model) -> Option<String> {
    match place.kind {
        OrganizationKind::Township => Some(format!("{}纪委", place.name)),
        OrganizationKind::County => Some(format!("{}纪委监委", place.name)),
        OrganizationKind::Village | OrganizationKind::Department => None,
    }
}

/// The keys that count at an office on a day: of those who hold a post there.
pub(super) async fn current_keys(
    connection: &impl ConnectionTrait,
    office: OrganizationId,
    on: NaiveDate,
) -> Result<Vec<keys::Model>, Fault> {
    let rows = keys::Entity::find()
        .filter(keys::Column::OfficeId.eq(office))
        .filter(keys::Column::RetiredAt.is_null())
        .order_by_asc(keys::Column::Recipient)
        .all(connection)
        .await?;
    if rows.is_empty() {
        return Ok(rows);
    }
    let officers = holders(connection, office, &[Role::DisciplinaryOfficer], on).await?;
    Ok(rows.into_iter().filter(|row| officers.contains(&row.staff_id)).collect())
}

/// The office of this place, if it can receive reports.
pub(super) async fn office(
    connection: &impl ConnectionTrait,
    place: &organizations::Model,
    on: NaiveDate,
) -> Result<Option<Office>, Fault> {
    let Some(name) = name(place) else { return Ok(None) };
    let keys: Vec<_> = current_keys(connection, place.id, on).await?.into_iter().map(|key| key.recipient).collect();
    Ok((!keys.is_empty()).then_some(Office { id: place.id, name, keys }))
}

/// Where a report from this township can go.
///
/// # Errors
/// `not_found` for what is no township.
pub async fn receiving(store: &Store, township: OrganizationId) -> Result<ReceivingOffices, Fault> {
    let (connection, today) = (store.reader(), shanghai_date(store.clock().now()));
    let place = organizations::Entity::find_by_id(township)
        .one(connection)
        .await?
        .filter(|place| place.kind == OrganizationKind::Township)
        .ok_or_else(Refusal::not_found)?;
    let above = match place.parent_id {
        Some(parent) => organizations::Entity::find_by_id(parent).one(connection).await?,
        None => None,
    };
    let above = match above {
        Some(above) => office(connection, &above, today).await?,
        None => None,
    };
    Ok(ReceivingOffices { own: office(connection, &place, today).await?, above })
}

/// Whether any office can receive a report.
///
/// # Errors
/// When the database does not answer.
pub async fn can_be_received(store: &Store) -> Result<bool, Fault> {
    let (connection, today) = (store.reader(), shanghai_date(store.clock().now()));
    let keys = keys::Entity::find().filter(keys::Column::RetiredAt.is_null()).all(connection).await?;
    let mut offices: Vec<_> = keys.into_iter().map(|key| key.office_id).collect();
    offices.sort_unstable();
    offices.dedup();
    for office in offices {
        if !current_keys(connection, office, today).await?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

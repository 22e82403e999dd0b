//! Village chat groups and the robots that may post into them.

pub mod entity;

use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use crate::{
    ids::{CountyId, GroupId, OrganizationId},
    refusal::Fault,
    sealing::Sealer,
    storage::UnitOfWork,
};

/// What a robot's key is sealed for.
pub const ROBOT_KEY_PURPOSE: &str = "group robot key";

/// A group to be set up.
#[derive(Clone, Debug)]
pub struct NewGroup {
    pub township: OrganizationId,
    pub village: OrganizationId,
    pub name: String,
    /// The key in the robot's webhook address: a password.
    pub robot_key: String,
}

/// # Errors
/// When the database does not answer.
pub async fn add(unit: &UnitOfWork, county: CountyId, sealer: &Sealer, new: NewGroup) -> Result<GroupId, Fault> {
    let id = GroupId::new(unit.randomness(), unit.now());
    entity::Entity::insert(entity::ActiveModel {
        id: Set(id),
        county_id: Set(county),
        township_id: Set(new.township),
        village_id: Set(new.village),
        platform: Set("wecom_robot".into()),
        name: Set(new.name),
        robot_key_sealed: Set(sealer.seal(ROBOT_KEY_PURPOSE, new.robot_key.as_bytes(), unit.randomness())),
        active: Set(true),
        created_at: Set(unit.now()),
    })
    .exec_without_returning(unit.connection())
    .await?;
    Ok(id)
}

/// The active groups of a village.
///
/// # Errors
/// When the database does not answer.
pub async fn of_village(
    connection: &impl ConnectionTrait,
    village: OrganizationId,
) -> Result<Vec<entity::Model>, Fault> {
    Ok(entity::Entity::find()
        .filter(entity::Column::VillageId.eq(village))
        .filter(entity::Column::Active.eq(true))
        .all(connection)
        .await?)
}

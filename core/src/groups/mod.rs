//! Village chat groups and the robots that may post into them.

mod channel;
pub mod entity;
mod listing;
pub mod prepared;
pub mod retraction;
pub mod reviews;
pub mod sent;
pub mod tasks;
pub mod unread;

use std::collections::HashMap;

use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, sea_query::Expr};

pub use channel::{GroupChannel, GroupKind, RobotKey};

use crate::{
    audit::AuditEntry,
    ids::{CountyId, GroupId, OrganizationId},
    refusal::{Fault, Refusal, RefusalKind},
    sealing::Sealer,
    storage::{Command, Done, Outcome, Store, UnitOfWork},
};

/// What a robot's key is sealed for.
const ROBOT_KEY_PURPOSE: &str = "group robot key";

/// Whether the product itself says what a post of this kind says, from what was checked when it was put down. Nobody has to read it
/// first, and nobody takes it back: those who are rated must not make a survey of themselves unseen, nor the fingerprints that prove
/// its count. Why a survey was cancelled is somebody's own words.
#[must_use]
pub fn is_the_products_own(kind: &str) -> bool {
    kind.starts_with("sealed_survey_") && kind != "sealed_survey_cancelled"
}

/// A group to be set up.
#[derive(Clone, Debug)]
pub struct NewGroup {
    pub township: OrganizationId,
    pub village: OrganizationId,
    pub name: String,
    pub channel: GroupChannel,
}

/// # Errors
/// When the database does not answer.
pub async fn add(unit: &UnitOfWork, county: CountyId, sealer: &Sealer, new: NewGroup) -> Result<GroupId, Fault> {
    let id = GroupId::new(unit.randomness(), unit.now());
    let sealed = |key: &RobotKey| sealer.seal(ROBOT_KEY_PURPOSE, &key.to_bytes(), unit.randomness());
    entity::Entity::insert(entity::ActiveModel {
        id: Set(id),
        county_id: Set(county),
        township_id: Set(new.township),
        village_id: Set(new.village),
        kind: Set(new.channel.kind()),
        name: Set(new.name),
        robot_key_sealed: Set(new.channel.key().map(sealed).unwrap_or_default()),
        active: Set(true),
        keeper_staff_id: Set(None),
        created_at: Set(unit.now()),
    })
    .exec_without_returning(unit.connection())
    .await?;
    Ok(id)
}

/// Opens a group's robot key; none for a group without a robot.
///
/// # Errors
/// When it was sealed by another installation.
pub fn robot_key(sealer: &Sealer, group: &entity::Model) -> Result<Option<RobotKey>, Fault> {
    if group.robot_key_sealed.is_empty() {
        return Ok(None);
    }
    let bytes = sealer.open(ROBOT_KEY_PURPOSE, &group.robot_key_sealed)?;
    RobotKey::from_bytes(&bytes).map(Some).ok_or_else(|| Fault::unavailable("a robot's key cannot be read"))
}

/// Nothing goes into this group any more, until its robot gets a new key. False when it has one already: who refused was the
/// robot of the key that stands in `group`.
///
/// # Errors
/// When the database does not answer.
pub async fn retire(unit: &UnitOfWork, group: &entity::Model) -> Result<bool, Fault> {
    let retired = entity::Entity::update_many()
        .col_expr(entity::Column::Active, Expr::value(false))
        .filter(entity::Column::Id.eq(group.id))
        .filter(entity::Column::RobotKeySealed.eq(group.robot_key_sealed.clone()))
        .exec(unit.connection())
        .await?;
    Ok(retired.rows_affected == 1)
}

/// Puts a new key in the place of a robot's old one, which is gone for good. A group that was retired because its robot
/// was gone is in use again.
///
/// # Errors
/// `not_found`; `group_has_no_robot` for an ordinary chat group.
pub async fn rotate_key(
    store: &Store,
    command: &Command,
    sealer: &Sealer,
    county: CountyId,
    id: GroupId,
    key: RobotKey,
) -> Result<Outcome<()>, Fault> {
    let sealer = sealer.clone();
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                let group =
                    entity::Entity::find_by_id(id).one(unit.connection()).await?.ok_or_else(Refusal::not_found)?;
                if group.county_id != county {
                    return Err(Refusal::not_found().into());
                }
                if group.kind == GroupKind::OrdinaryChat {
                    return Err(Refusal::new(
                        RefusalKind::Conflict,
                        "group_has_no_robot",
                        "这是普通微信群，没有机器人，不用密钥。",
                    )
                    .into());
                }
                let sealed = sealer.seal(ROBOT_KEY_PURPOSE, &key.to_bytes(), unit.randomness());
                unit.later(
                    &entity::Entity::update_many()
                        .col_expr(entity::Column::RobotKeySealed, Expr::value(sealed))
                        .col_expr(entity::Column::Active, Expr::value(true))
                        .filter(entity::Column::Id.eq(id)),
                );
                Ok(Done::new((), AuditEntry::new("group_robot_key_rotated", id)))
            })
        })
        .await
}

/// The names of these groups.
///
/// # Errors
/// When the database does not answer.
pub async fn names(
    connection: &impl ConnectionTrait,
    ids: impl IntoIterator<Item = GroupId>,
) -> Result<HashMap<GroupId, String>, Fault> {
    let known = entity::Entity::find().filter(entity::Column::Id.is_in(ids)).all(connection).await?;
    Ok(known.into_iter().map(|group| (group.id, group.name)).collect())
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

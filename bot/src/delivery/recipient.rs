//! Where a recipient is reached.

use qingfeng_core::{
    groups,
    ids::{GroupId, ResidentId, StaffId},
    outbox::RecipientKind,
    people::entity::{resident_logins, staff},
    refusal::Fault,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use crate::Bot;

/// The person's WeChat identity, if it is known.
pub(super) async fn open_id(bot: &Bot, kind: RecipientKind, id: Uuid) -> Result<Option<String>, Fault> {
    let connection = bot.store.reader();
    Ok(match kind {
        RecipientKind::Staff => staff::Entity::find_by_id(StaffId(id))
            .one(connection)
            .await?
            .filter(|person| person.active)
            .and_then(|person| person.open_id),
        RecipientKind::Resident => resident_logins::Entity::find()
            .filter(resident_logins::Column::ResidentId.eq(ResidentId(id)))
            .one(connection)
            .await?
            .map(|login| login.open_id),
        RecipientKind::Group => None,
    })
}

/// Robot key of a village group.
pub(super) async fn robot_key(bot: &Bot, id: Uuid) -> Result<Option<String>, Fault> {
    let group = groups::entity::Entity::find_by_id(GroupId(id)).one(bot.store.reader()).await?;
    let Some(group) = group.filter(|group| group.active) else { return Ok(None) };
    let key = bot.sealer.open(groups::ROBOT_KEY_PURPOSE, &group.robot_key_sealed)?;
    Ok(Some(String::from_utf8(key).map_err(Fault::unavailable)?))
}

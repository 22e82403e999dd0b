//! Where a recipient is reached.

use qingfeng_core::{groups, ids::GroupId, refusal::Fault};
use sea_orm::EntityTrait;
use uuid::Uuid;

use crate::Bot;

/// Robot key of a village group.
pub(super) async fn robot_key(bot: &Bot, id: Uuid) -> Result<Option<String>, Fault> {
    let group = groups::entity::Entity::find_by_id(GroupId(id)).one(bot.store.reader()).await?;
    let Some(group) = group.filter(|group| group.active) else { return Ok(None) };
    let key = bot.sealer.open(groups::ROBOT_KEY_PURPOSE, &group.robot_key_sealed)?;
    Ok(Some(String::from_utf8(key).map_err(Fault::unavailable)?))
}

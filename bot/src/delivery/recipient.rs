//! Where a recipient is reached.

use qingfeng_core::{
    groups::{self, RobotKey},
    ids::{GroupId, StaffId},
    people::{PersonKind, phones},
    refusal::Fault,
};
use sea_orm::EntityTrait;
use uuid::Uuid;

use crate::Bot;

/// A village's chat group and its robot.
pub(super) struct GroupAddress {
    pub(super) group: groups::entity::Model,
    /// None for an ordinary group.
    pub(super) key: Option<RobotKey>,
}

/// None when it is not in use any more.
pub(super) async fn group(bot: &Bot, id: Uuid) -> Result<Option<GroupAddress>, Fault> {
    let group = groups::entity::Entity::find_by_id(GroupId(id)).one(bot.store.reader()).await?;
    let Some(group) = group.filter(|group| group.active) else { return Ok(None) };
    let key = groups::robot_key(&bot.sealer, &group)?;
    Ok(Some(GroupAddress { group, key }))
}

/// Where a person is reached.
pub(super) struct Address {
    pub(super) open_id: Option<String>,
    /// Staff only, and only where the township uses WeCom.
    pub(super) wecom_user_id: Option<String>,
    /// In the chat with the official account, where that sends cards and the person has bound it.
    pub(super) official_open_id: Option<String>,
}

impl Address {
    pub(super) fn is_nowhere(&self) -> bool {
        self.open_id.is_none() && self.wecom_user_id.is_none() && self.official_open_id.is_none()
    }
}

pub(super) async fn address(bot: &Bot, kind: PersonKind, id: Uuid) -> Result<Address, Fault> {
    let reader = bot.store.reader();
    let wecom_user_id = match kind {
        PersonKind::Staff if bot.channels.wecom_app.is_some() => phones::wecom_user_id(reader, StaffId(id)).await?,
        _ => None,
    };
    let official_open_id = match &bot.channels.template_messages {
        Some(channel) => phones::linked_open_id(reader, kind, id, channel.app_id()).await?,
        None => None,
    };
    Ok(Address { open_id: phones::open_id(reader, kind, id).await?, wecom_user_id, official_open_id })
}

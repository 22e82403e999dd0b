use sea_orm::entity::prelude::*;

use super::GroupKind;
use crate::ids::{CountyId, GroupId, OrganizationId, StaffId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "chat_groups")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: GroupId,
    pub county_id: CountyId,
    pub township_id: OrganizationId,
    pub village_id: OrganizationId,
    #[sea_orm(column_name = "platform")]
    pub kind: GroupKind,
    pub name: String,
    /// Empty for a group without a robot.
    pub robot_key_sealed: Vec<u8>,
    pub active: bool,
    /// Who puts prepared posts into it; none = whoever leads the village.
    pub keeper_staff_id: Option<StaffId>,
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

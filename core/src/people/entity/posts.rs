use sea_orm::entity::prelude::*;

use crate::{
    ids::{CountyId, OrganizationId, PostId, StaffId},
    people::Role,
};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "posts")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PostId,
    pub county_id: CountyId,
    pub staff_id: StaffId,
    pub organization_id: OrganizationId,
    pub role: Role,
    pub title: String,
    pub from_date: Date,
    /// Last day in the post; none while it is held.
    pub to_date: Option<Date>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

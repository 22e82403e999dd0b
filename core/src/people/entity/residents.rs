use sea_orm::entity::prelude::*;

use crate::{
    ids::{CountyId, OrganizationId, ResidentId, StaffId},
    people::RosterGroup,
};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "residents")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ResidentId,
    pub county_id: CountyId,
    pub township_id: OrganizationId,
    pub village_id: OrganizationId,
    pub name: String,
    pub neighbourhood: String,
    pub roster_group: RosterGroup,
    pub staff_id: Option<StaffId>,
    pub active: bool,
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

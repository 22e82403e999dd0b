use sea_orm::entity::prelude::*;

use crate::ids::{CountyId, EntryId, OrganizationId, StaffId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "recusals")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: EntryId,
    pub county_id: CountyId,
    pub staff_id: StaffId,
    pub from_staff_id: Option<StaffId>,
    pub from_organization_id: Option<OrganizationId>,
    pub reason: String,
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

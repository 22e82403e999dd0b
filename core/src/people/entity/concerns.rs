use sea_orm::entity::prelude::*;

use crate::{
    ids::{CountyId, EntryId, OrganizationId, StaffId},
    subject::SubjectKind,
};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "concerns")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: EntryId,
    pub county_id: CountyId,
    pub subject_kind: SubjectKind,
    pub subject_id: Uuid,
    pub organization_id: Option<OrganizationId>,
    pub staff_id: Option<StaffId>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

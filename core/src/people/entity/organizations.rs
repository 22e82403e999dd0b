use sea_orm::entity::prelude::*;

use crate::{
    ids::{CountyId, OrganizationId},
    people::OrganizationKind,
};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "organizations")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: OrganizationId,
    pub county_id: CountyId,
    pub parent_id: Option<OrganizationId>,
    pub kind: OrganizationKind,
    pub name: String,
    /// Short code, unique in the county, used by plan files and imports.
    pub code: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

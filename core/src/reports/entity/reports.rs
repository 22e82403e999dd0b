use sea_orm::entity::prelude::*;

use crate::{
    ids::{CountyId, OrganizationId, SealedReportId},
    reports::State,
};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sealed_reports")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SealedReportId,
    pub county_id: CountyId,
    pub office_id: OrganizationId,
    /// SHA-256 of what the phone looks it up by: a copy of the database looks nothing up.
    pub lookup_digest: Vec<u8>,
    pub received_on: Date,
    pub state: State,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

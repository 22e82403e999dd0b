use sea_orm::entity::prelude::*;

use crate::{ids::SealedReportId, reports::Side};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sealed_report_parts")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub report_id: SealedReportId,
    /// Its place in the report: 0 is the report itself.
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i32,
    pub side: Side,
    pub sealed: Vec<u8>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

use sea_orm::entity::prelude::*;

use crate::{
    complaints::SatisfactionLevel,
    ids::{ComplaintId, CountyId, EntryId},
};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "complaint_ratings")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: EntryId,
    pub county_id: CountyId,
    pub complaint_id: ComplaintId,
    pub reporter_id: EntryId,
    pub round: i32,
    pub level: SatisfactionLevel,
    pub comment: Option<String>,
    pub at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

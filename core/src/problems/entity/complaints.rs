use sea_orm::entity::prelude::*;

use crate::ids::{ComplaintId, CountyId, EntryId, ProblemId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "problem_complaints")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: EntryId,
    pub county_id: CountyId,
    pub problem_id: ProblemId,
    pub complaint_id: ComplaintId,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

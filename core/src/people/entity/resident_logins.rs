use sea_orm::entity::prelude::*;

use crate::ids::{CountyId, ResidentId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "resident_logins")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub open_id: String,
    pub county_id: CountyId,
    pub resident_id: ResidentId,
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

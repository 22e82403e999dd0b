use sea_orm::entity::prelude::*;

use crate::ids::{CountyId, RectificationId, ResidentId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "evaluation_participation")]
pub struct Model {
    pub county_id: CountyId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub rectification_id: RectificationId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub round: i32,
    #[sea_orm(primary_key, auto_increment = false)]
    pub resident_id: ResidentId,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

use sea_orm::entity::prelude::*;

use crate::sealed_surveys::BallotBoxId;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "box_checkpoints")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub sid: BallotBoxId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub size: i64,
    /// The note with all signatures.
    pub note: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

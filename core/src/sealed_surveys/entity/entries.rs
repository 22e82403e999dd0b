use sea_orm::entity::prelude::*;

use crate::sealed_surveys::BallotBoxId;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "box_entries")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub env_hash: Vec<u8>,
    pub sid: BallotBoxId,
    pub tag: Vec<u8>,
    pub seq: i32,
    pub outer: Vec<u8>,
    /// The batch with which it went into the log; none while it waits.
    pub batch_no: Option<i32>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

use sea_orm::entity::prelude::*;

use crate::{ids::ResidentId, sealed_surveys::BallotBoxId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "box_issuance")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub sid: BallotBoxId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub resident_id: ResidentId,
    pub req_hash: Vec<u8>,
    pub day: Date,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

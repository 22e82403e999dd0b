use sea_orm::entity::prelude::*;

use crate::ids::{CountyId, ResidentId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "survey_devices")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub resident_id: ResidentId,
    pub county_id: CountyId,
    /// Ed25519 key of the enrolled phone, as the co-signer knows it.
    pub device: Option<Vec<u8>>,
    /// The resident's commitment for the rolls.
    pub commitment: Vec<u8>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! Requests that have left, kept as long as the platform recognizes them: one whose end is not known is sent again, word for
//! word, and the platform drops it if it had it already.

use sea_orm::entity::prelude::*;

use crate::ids::CountyId;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "departures")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub county_id: CountyId,
    pub channel: String,
    /// Word for word: the platform compares texts.
    pub request: String,
    /// The platform recognizes it until then.
    pub guarded_until: DateTimeUtc,
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

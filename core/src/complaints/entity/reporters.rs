use sea_orm::entity::prelude::*;

use crate::ids::{ComplaintId, CountyId, EntryId, ResidentId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "complaint_reporters")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: EntryId,
    pub county_id: CountyId,
    /// The complaint that is worked on.
    pub complaint_id: ComplaintId,
    /// The one this person filed; another one after a merge.
    pub origin_id: ComplaintId,
    pub resident_id: Option<ResidentId>,
    pub receipt_digest: Option<Vec<u8>>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

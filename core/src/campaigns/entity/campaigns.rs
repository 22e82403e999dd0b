use sea_orm::entity::prelude::*;

use crate::ids::{CampaignId, CountyId, OrganizationId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "campaigns")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CampaignId,
    pub county_id: CountyId,
    pub township_id: OrganizationId,
    pub key: String,
    pub name: String,
    pub starts_on: Date,
    pub ends_on: Date,
    pub plan: Json,
    pub complaint_clocks: Json,
    /// The file as it was loaded.
    pub source: String,
    pub source_digest: Vec<u8>,
    /// Counts the loads that changed it, from 1.
    pub version: i32,
    pub duties_opened_until: Date,
    pub loaded_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

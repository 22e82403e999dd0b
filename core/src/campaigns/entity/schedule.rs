use sea_orm::entity::prelude::*;

use crate::ids::{CampaignId, CountyId};

/// An entry of a campaign's schedule, and how far it was done.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "campaign_schedule")]
pub struct Model {
    pub county_id: CountyId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub campaign_id: CampaignId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    /// As the plan has it.
    pub entry: Json,
    /// When it came into the plan, or was changed: what was due before is not made up for.
    pub since: DateTimeUtc,
    /// The last time that it was done for.
    pub ran_until: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

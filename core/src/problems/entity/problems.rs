use sea_orm::entity::prelude::*;

use crate::{
    ids::{CampaignId, CountyId, OrganizationId, ProblemId},
    problems::Way,
};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "problems")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ProblemId,
    pub county_id: CountyId,
    pub township_id: OrganizationId,
    pub village_id: OrganizationId,
    pub campaign_id: Option<CampaignId>,
    pub number: String,
    pub way: Way,
    /// Key in the campaign's taxonomy.
    pub category: String,
    pub title: String,
    /// Original words, never edited.
    pub words: String,
    pub solved: bool,
    pub recorded_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

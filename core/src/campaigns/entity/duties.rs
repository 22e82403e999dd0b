use sea_orm::entity::prelude::*;

use crate::{
    campaigns::DutyState,
    ids::{CampaignId, CountyId, DutyId, OrganizationId, PostId, StaffId},
};

/// One time that a duty is due, in one unit. Its date stands in the deadlines.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "duty_occurrences")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: DutyId,
    pub county_id: CountyId,
    pub township_id: OrganizationId,
    pub campaign_id: CampaignId,
    pub duty_key: String,
    pub period: String,
    pub title: String,
    pub unit_id: OrganizationId,
    /// None where nobody holds the office.
    pub staff_id: Option<StaffId>,
    /// To whom the office gave it, whoever holds the plan's office.
    pub handed_over_to: Option<StaffId>,
    pub opens_on: Date,
    pub state: DutyState,
    pub completed_by: Option<StaffId>,
    pub completed_in_post: Option<PostId>,
    pub completed_at: Option<DateTimeUtc>,
    pub evidence: Option<Json>,
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

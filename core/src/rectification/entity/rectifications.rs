use sea_orm::entity::prelude::*;

use crate::{
    ids::{CountyId, OrganizationId, RectificationId, StaffId},
    rectification::{Pace, State},
};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "rectifications")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RectificationId,
    pub county_id: CountyId,
    pub township_id: OrganizationId,
    pub village_id: OrganizationId,
    /// E.g. ZG26-4F7K2M9A.
    pub number: String,
    pub title: String,
    pub goal: String,
    /// The public promise.
    pub commitment: String,
    pub pace: Pace,
    pub state: State,
    /// From 1; each bad verdict opens the next.
    pub round: i32,
    pub lead_unit_id: OrganizationId,
    pub responsible_staff_id: StaffId,
    pub leader_staff_id: Option<StaffId>,
    /// Last day for the residents' answers of this round.
    pub evaluation_closes_on: Option<Date>,
    /// Whether the township evaluated this round and passed it.
    pub township_passed: bool,
    pub published_at: Option<DateTimeUtc>,
    pub closed_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub changed_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

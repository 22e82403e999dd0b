use sea_orm::{ActiveEnum as _, ExprTrait as _, entity::prelude::*};

use crate::{
    complaints::{Category, Channel, ComplaintKind, State},
    ids::{ComplaintId, CountyId, OrganizationId, StaffId},
};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "complaints")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ComplaintId,
    pub county_id: CountyId,
    pub township_id: OrganizationId,
    pub village_id: OrganizationId,
    /// What people say on the phone, e.g. SQ26-4F7K2M; random, so that it tells no one how many there are.
    pub number: String,
    pub channel: Channel,
    /// None until it is classified.
    pub kind: Option<ComplaintKind>,
    pub category: Category,
    pub title: String,
    /// The resident's own words, never edited.
    pub body: String,
    pub place: String,
    pub state: State,
    /// From 1; each bad rating opens the next.
    pub round: i32,
    pub returns: i32,
    pub lead_unit_id: Option<OrganizationId>,
    pub handler_id: Option<StaffId>,
    /// The first unit that was given it stays answerable (首办责任).
    pub first_unit_id: Option<OrganizationId>,
    pub merged_into_id: Option<ComplaintId>,
    pub closed_in_silence: bool,
    pub answered_at: Option<DateTimeUtc>,
    pub registered_at: DateTimeUtc,
    pub changed_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// In the phase of this state. The database derives the column `phase` from the state, and keeps it in the indexes of the
/// lists: every open state is one phase, so that an act that ends nothing changes no index. Goes with a condition on the state
/// itself, unless all open ones are meant.
#[must_use]
pub fn in_phase_of(state: State) -> Expr {
    let phase = if state.is_open() { "open".to_owned() } else { state.to_value() };
    Expr::col((Entity, "phase")).eq(phase)
}

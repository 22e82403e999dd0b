use sea_orm::entity::prelude::*;

use crate::{
    ids::{CountyId, OrganizationId, SealedSurveyId, StaffId},
    people::RosterGroup,
    sealed_surveys::{BallotBoxId, BoxState, Trouble},
};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ballot_boxes")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub sid: BallotBoxId,
    pub county_id: CountyId,
    pub survey_id: SealedSurveyId,
    pub township_id: OrganizationId,
    /// The village, or the township where several villages share the box.
    pub unit_id: OrganizationId,
    /// `Vec<OrganizationId>`: the villages whose residents it is for.
    pub village_ids: Json,
    pub unit_name: String,
    pub class: RosterGroup,
    pub title: String,
    /// Who or what is evaluated, as it is shown.
    pub evaluatee: Option<String>,
    pub evaluatee_staff_id: Option<StaffId>,
    pub evaluatee_organization_id: Option<OrganizationId>,
    /// Residents on the roll.
    pub eligible: i32,
    pub state: BoxState,
    pub trouble: Option<Trouble>,
    /// Township and co-signer are one operator: level 1 at best.
    pub single_operator: bool,
    /// The manifest in its canonical spelling, from the signing on.
    pub manifest: Option<String>,
    /// The platform's keys over ballot keys and over tags, sealed; gone after the close.
    pub key_a_sealed: Option<Vec<u8>>,
    pub key_d_sealed: Option<Vec<u8>>,
    /// Batches that went from the box into the log.
    pub batches: i32,
    pub flushed_at: Option<DateTimeUtc>,
    /// The closed box, or the cancellation, has reached the co-signer.
    pub handed_over: bool,
    /// `SlipAccount`.
    pub slip_account: Option<Json>,
    /// The day of the publication, or of finding too few; none before, and when the time for disputes is over.
    pub published_on: Option<Date>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

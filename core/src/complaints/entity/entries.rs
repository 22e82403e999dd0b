use sea_orm::entity::prelude::*;

use crate::ids::{ComplaintId, CountyId, EntryId, StaffId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "complaint_entries")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: EntryId,
    pub county_id: CountyId,
    pub complaint_id: ComplaintId,
    pub round: i32,
    /// What happened, e.g. `answered`.
    pub kind: String,
    pub text: String,
    pub details: Option<Json>,
    pub staff_id: Option<StaffId>,
    pub visible_to_reporter: bool,
    pub at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

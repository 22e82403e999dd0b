use sea_orm::entity::prelude::*;

use crate::ids::{CountyId, EntryId, RectificationId, StaffId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "rectification_entries")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: EntryId,
    pub county_id: CountyId,
    pub rectification_id: RectificationId,
    pub round: i32,
    pub kind: String,
    pub text: String,
    pub staff_id: Option<StaffId>,
    pub is_public: bool,
    pub at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

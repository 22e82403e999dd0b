use sea_orm::entity::prelude::*;

use crate::ids::{AbsenceId, CountyId, StaffId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "absences")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AbsenceId,
    pub county_id: CountyId,
    pub staff_id: StaffId,
    pub deputy_staff_id: StaffId,
    pub from_date: Date,
    /// The last day.
    pub to_date: Date,
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

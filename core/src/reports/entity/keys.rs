use sea_orm::entity::prelude::*;

use crate::ids::{CountyId, OrganizationId, ReportKeyId, StaffId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "report_keys")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ReportKeyId,
    pub county_id: CountyId,
    /// The township or county whose disciplinary office it is.
    pub office_id: OrganizationId,
    /// Whose key: it counts as long as this person holds a post there.
    pub staff_id: StaffId,
    /// `age1…`.
    pub recipient: String,
    pub published_at: DateTimeUtc,
    pub retired_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

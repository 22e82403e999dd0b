use sea_orm::entity::prelude::*;

use super::TemplateState;
use crate::ids::{CountyId, MessageTemplateId, OrganizationId, StaffId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "message_templates")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MessageTemplateId,
    pub county_id: CountyId,
    pub township_id: OrganizationId,
    /// Recipient and kind, e.g. `staff.deadline_ahead`.
    pub kind: String,
    /// From 1, for each township and kind.
    pub version: i32,
    /// None = the usual words again.
    pub text: Option<String>,
    pub state: TemplateState,
    pub proposed_by: StaffId,
    pub proposed_at: DateTimeUtc,
    pub decided_by: Option<StaffId>,
    pub decided_at: Option<DateTimeUtc>,
    pub reason: Option<String>,
    /// Why it did not hold a message, which then went out in the usual words.
    pub failure: Option<String>,
    pub failed_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

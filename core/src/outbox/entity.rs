use sea_orm::entity::prelude::*;

use super::{MessageState, Priority, RecipientKind};
use crate::{
    ids::{CountyId, MessageId, OrganizationId},
    subject::SubjectKind,
};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "outbox_messages")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MessageId,
    pub county_id: CountyId,
    pub township_id: Option<OrganizationId>,
    pub recipient_kind: RecipientKind,
    pub recipient_id: Uuid,
    /// Who stands in for the recipient and gets it; none where it goes to the recipient.
    pub reached_id: Option<Uuid>,
    pub priority: Priority,
    pub kind: String,
    pub subject_kind: SubjectKind,
    pub subject_id: Uuid,
    pub step: String,
    pub round: i32,
    pub facts: Json,
    pub state: MessageState,
    pub not_before: DateTimeUtc,
    pub lease_holder: Option<String>,
    pub lease_until: Option<DateTimeUtc>,
    pub attempts: i32,
    pub parked_reason: Option<String>,
    pub channel: Option<String>,
    pub platform_reference: Option<String>,
    /// The request with which it left, where the platform recognizes one that comes again.
    pub departure_id: Option<Uuid>,
    /// Which card or post it left in: the same for all that was in it.
    pub card_id: Option<Uuid>,
    /// When it left last.
    pub left_at: Option<DateTimeUtc>,
    /// It left once, and nobody knew what became of it; stays so, whatever is done with it afterwards.
    pub may_have_arrived: bool,
    /// When somebody took the post back: it is not sent any more.
    pub retracted_at: Option<DateTimeUtc>,
    pub sent_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

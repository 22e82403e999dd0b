//! The transactional outbox (6.1): messages are written with the fact that causes them and sent later by the bot.
//! A message is a notice — its kind and the facts — and is put into words when it is sent.

pub mod alarms;
mod answering;
pub mod card_updates;
pub mod consents;
pub mod departures;
pub mod entity;
pub mod opt_outs;
mod priority;
pub mod residents_missed;
pub mod stops;
pub mod template_stops;
pub mod templates;
pub mod undelivered;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, DeriveActiveEnum, EntityTrait, EnumIter, InsertMany, QueryFilter, QuerySelect,
    sea_query::{Expr, OnConflict},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use answering::{Answering, Turn};
pub use priority::{Priority, due};

use crate::{
    ids::{CountyId, GroupId, MessageId, OrganizationId, ResidentId, StaffId},
    refusal::Fault,
    storage::UnitOfWork,
    subject::SubjectRef,
};

/// No messages from nine in the evening to eight in the morning, Beijing time.
pub const QUIET_FROM: u32 = 21;
pub const QUIET_UNTIL: u32 = 8;

/// Who is to get a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Recipient {
    Staff(StaffId),
    Resident(ResidentId),
    /// A village's chat group.
    Group(GroupId),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum RecipientKind {
    Staff,
    Resident,
    Group,
}

impl Recipient {
    #[must_use]
    pub fn parts(self) -> (RecipientKind, uuid::Uuid) {
        match self {
            Self::Staff(id) => (RecipientKind::Staff, id.0),
            Self::Resident(id) => (RecipientKind::Resident, id.0),
            Self::Group(id) => (RecipientKind::Group, id.0),
        }
    }
}

/// Where a message stands on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum MessageState {
    /// Waits for its time or for a bot.
    Pending,
    /// A second person has to let it go.
    Held,
    /// A bot has it; free again when the lease ends.
    Sending,
    /// The request is on its way; a bot that dies now leaves it unknown.
    Departed,
    /// It is with a person: to be put into a group by hand, or to be tapped at the platform.
    HandedOver,
    /// The platform took it.
    Sent,
    /// Not sent and not going to be, for a reason that staff see; they may send it again.
    Parked,
    /// The platform takes its template no more; waits until an operator lets it be used again.
    Stopped,
    /// It left, but no answer came back: sending it again could double it (never resend blindly).
    Unknown,
    /// Its reason is gone (deadline met, item closed) before it was sent.
    Withdrawn,
}

/// Whether a bot still has all of these messages. Nobody can take them over or withdraw them before the transaction ends.
///
/// # Errors
/// When the database does not answer.
pub async fn is_held(unit: &UnitOfWork, holder: &str, ids: &[MessageId]) -> Result<bool, Fault> {
    let held = entity::Entity::find()
        .filter(entity::Column::Id.is_in(ids.iter().copied()))
        .filter(entity::Column::State.is_in([MessageState::Sending, MessageState::Departed]))
        .filter(entity::Column::LeaseHolder.eq(holder))
        .lock_exclusive()
        .all(unit.connection())
        .await?;
    Ok(held.len() == ids.len())
}

/// Moves a message that no bot is sending to where a person or a platform wants it, from now on.
///
/// # Errors
/// When the database does not answer.
pub(crate) async fn set_state(
    unit: &UnitOfWork,
    id: MessageId,
    state: MessageState,
    reason: Option<&str>,
) -> Result<(), Fault> {
    use entity::{Column, Entity};
    let sent_at = (state == MessageState::Sent).then(|| unit.now());
    let mut update = Entity::update_many();
    if state == MessageState::Unknown {
        update = update.col_expr(Column::MayHaveArrived, Expr::value(true));
    }
    update
        .col_expr(Column::State, Expr::value(state))
        .col_expr(Column::ParkedReason, Expr::value(reason.map(str::to_owned)))
        .col_expr(Column::NotBefore, Expr::value(unit.now()))
        .col_expr(Column::SentAt, Expr::value(sent_at))
        .col_expr(Column::LeaseHolder, Expr::value(Option::<String>::None))
        .col_expr(Column::LeaseUntil, Expr::value(Option::<DateTime<Utc>>::None))
        .filter(Column::Id.eq(id))
        .exec(unit.connection())
        .await?;
    Ok(())
}

/// A message to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub recipient: Recipient,
    /// What it says, e.g. `deadline_ahead`; the bot has the words.
    pub kind: &'static str,
    pub subject: SubjectRef,
    /// Which one of a series, e.g. `3_days_before`, `2022-05`; empty where there is no series.
    pub step: String,
    /// The round of the subject it belongs to.
    pub round: i32,
    /// What the words need. No personal data beyond what the recipient already knows.
    pub facts: serde_json::Value,
    /// Earliest instant to send it; none = now.
    pub not_before: Option<DateTime<Utc>>,
    pub township: Option<OrganizationId>,
}

impl Notice {
    pub fn new(recipient: Recipient, kind: &'static str, subject: impl Into<SubjectRef>) -> Self {
        Self {
            recipient,
            kind,
            subject: subject.into(),
            step: String::new(),
            round: 0,
            facts: serde_json::json!({}),
            not_before: None,
            township: None,
        }
    }

    #[must_use]
    pub fn step(mut self, step: impl Into<String>) -> Self {
        self.step = step.into();
        self
    }

    #[must_use]
    pub fn round(mut self, round: i32) -> Self {
        self.round = round;
        self
    }

    #[must_use]
    pub fn facts(mut self, facts: serde_json::Value) -> Self {
        self.facts = facts;
        self
    }

    #[must_use]
    pub fn township(mut self, township: OrganizationId) -> Self {
        self.township = Some(township);
        self
    }
}

/// Writes messages into the outbox. One that is there already — same recipient, subject, kind, step and round — stays
/// as it is: a reminder exists once, whatever crashes and however many bots run. Returns how many are new.
///
/// # Errors
/// When the database does not answer.
pub async fn enqueue(unit: &UnitOfWork, county: CountyId, notices: Vec<Notice>) -> Result<u64, Fault> {
    match insert(unit, county, notices) {
        Some(insert) => Ok(insert.exec_without_returning(unit.connection()).await?),
        None => Ok(0),
    }
}

/// The same, together with the rest of a command.
pub(crate) fn enqueue_later(unit: &UnitOfWork, county: CountyId, notices: Vec<Notice>) {
    if let Some(insert) = insert(unit, county, notices) {
        unit.later(&insert);
    }
}

fn insert(unit: &UnitOfWork, county: CountyId, notices: Vec<Notice>) -> Option<InsertMany<entity::ActiveModel>> {
    use entity::{ActiveModel, Column, Entity};
    if notices.is_empty() {
        return None;
    }
    let rows = notices.into_iter().map(|notice| {
        let (recipient_kind, recipient_id) = notice.recipient.parts();
        ActiveModel {
            id: Set(MessageId::new(unit.randomness(), unit.now())),
            county_id: Set(county),
            township_id: Set(notice.township),
            recipient_kind: Set(recipient_kind),
            recipient_id: Set(recipient_id),
            reached_id: Set(None),
            priority: Set(Priority::of(recipient_kind, notice.kind)),
            kind: Set(notice.kind.to_owned()),
            subject_kind: Set(notice.subject.kind),
            subject_id: Set(notice.subject.id),
            step: Set(notice.step),
            round: Set(notice.round),
            facts: Set(notice.facts),
            state: Set(MessageState::Pending),
            not_before: Set(notice.not_before.unwrap_or(unit.now())),
            lease_holder: Set(None),
            lease_until: Set(None),
            attempts: Set(0),
            parked_reason: Set(None),
            channel: Set(None),
            platform_reference: Set(None),
            departure_id: Set(None),
            card_id: Set(None),
            left_at: Set(None),
            may_have_arrived: Set(false),
            retracted_at: Set(None),
            sent_at: Set(None),
            created_at: Set(unit.now()),
        }
    });
    let once = [
        Column::RecipientId,
        Column::SubjectId,
        Column::Kind,
        Column::Step,
        Column::Round,
        Column::RecipientKind,
        Column::SubjectKind,
    ];
    Some(Entity::insert_many(rows).on_conflict(OnConflict::columns(once).do_nothing().to_owned()))
}

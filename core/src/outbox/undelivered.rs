//! Messages that did not get through, with the reason, and sending them again (6.1).
//!
//! A resident who gets a message about a complaint is the one who brought it up: residents' messages are only counted
//! ([`super::residents_missed`]), and nobody sends one again.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};

use super::{
    MessageState, RecipientKind,
    entity::{Column, Entity, Model},
};
use crate::{
    audit::AuditEntry,
    groups,
    ids::{CountyId, GroupId, MessageId, StaffId},
    people::{
        Actor,
        authorization::{Action, Reach, Subject, may, reach},
        concerns,
        entity::staff,
    },
    refusal::{Fault, Refusal, RefusalKind},
    storage::{Command, Done, Outcome, Store},
    subject::SubjectRef,
};

/// Most rows of a page.
pub const PAGE: u64 = 30;

/// A message that was parked, waits for its template, or of which nobody knows whether it arrived.
#[derive(Clone, Debug)]
pub struct Undelivered {
    pub id: MessageId,
    pub recipient_kind: RecipientKind,
    /// The group or the member of staff.
    pub recipient: Option<String>,
    pub kind: String,
    /// What it is about.
    pub title: Option<String>,
    pub state: MessageState,
    pub reason: String,
    pub created_at: DateTime<Utc>,
}

/// What did not get through to staff and groups in the actor's reach, latest first; `before` is the last one of the page before.
/// Who does not work on complaints sees the groups' posts only.
///
/// # Errors
/// `forbidden` for those who see no messages; when the database does not answer.
pub async fn undelivered(store: &Store, actor: &Actor, before: Option<MessageId>) -> Result<Vec<Undelivered>, Fault> {
    let Reach::Staff(reach) = reach(actor, Action::ViewMessages) else { return Err(Refusal::forbidden().into()) };
    let mut query = Entity::find()
        .filter(Column::TownshipId.is_in(reach.townships.iter().copied()))
        .filter(Column::State.is_in([MessageState::Parked, MessageState::Stopped, MessageState::Unknown]))
        .filter(Column::RecipientKind.ne(RecipientKind::Resident))
        .filter(concerns::not_concerning(&reach, Expr::col((Entity, Column::SubjectId))));
    if !sees_persons(actor) {
        query = query.filter(Column::RecipientKind.eq(RecipientKind::Group));
    }
    if let Some(before) = before {
        query = query.filter(Column::Id.lt(before));
    }
    let rows = query.order_by_desc(Column::Id).limit(PAGE).all(store.reader()).await?;
    let names = names(store, &rows).await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let title = row.facts.get("title").and_then(|title| title.as_str()).map(str::to_owned);
            Undelivered {
                id: row.id,
                recipient_kind: row.recipient_kind,
                recipient: names.get(&row.recipient_id).cloned(),
                kind: row.kind,
                title,
                state: row.state,
                reason: row.parked_reason.unwrap_or_default(),
                created_at: row.created_at,
            }
        })
        .collect())
}

pub(super) fn sees_persons(actor: &Actor) -> bool {
    reach(actor, Action::DispatchComplaint) != Reach::Nothing
}

async fn names(store: &Store, rows: &[Model]) -> Result<HashMap<uuid::Uuid, String>, Fault> {
    let of =
        |kind: RecipientKind| rows.iter().filter(move |row| row.recipient_kind == kind).map(|row| row.recipient_id);
    let people = staff::Entity::find()
        .filter(staff::Column::Id.is_in(of(RecipientKind::Staff).map(StaffId)))
        .all(store.reader())
        .await?;
    let chats = groups::names(store.reader(), of(RecipientKind::Group).map(GroupId)).await?;
    let people = people.into_iter().map(|person| (person.id.0, person.name));
    Ok(people.chain(chats.into_iter().map(|(id, name)| (id.0, name))).collect())
}

/// Sends a message again that was parked, or of which nobody knows whether it arrived: a person has decided that twice is
/// better than never.
///
/// # Errors
/// `message_not_parked` when it is on its way, sent or withdrawn; `not_found` for what the actor is not shown.
pub async fn resend(store: &Store, command: &Command, county: CountyId, id: MessageId) -> Result<Outcome<()>, Fault> {
    settle(store, command, county, id, Settling::Again).await
}

/// Puts down that a message arrived of which nobody knew that: a person has seen it, or asked.
///
/// # Errors
/// `message_not_unknown` when it is known what became of it.
pub async fn arrived(store: &Store, command: &Command, county: CountyId, id: MessageId) -> Result<Outcome<()>, Fault> {
    settle(store, command, county, id, Settling::Arrived).await
}

/// What a person decides about a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Settling {
    Again,
    Arrived,
}

impl Settling {
    fn check(self, state: MessageState) -> Result<(), Refusal> {
        let (fits, code, sentence) = match self {
            Self::Again => (
                matches!(state, MessageState::Parked | MessageState::Stopped | MessageState::Unknown),
                "message_not_parked",
                "这条消息已经在发送或已送达，不用重新发送。",
            ),
            Self::Arrived => {
                (state == MessageState::Unknown, "message_not_unknown", "这条消息是否送到已经清楚，不用再确认。")
            }
        };
        if fits { Ok(()) } else { Err(Refusal::new(RefusalKind::Conflict, code, sentence)) }
    }
}

async fn settle(
    store: &Store,
    command: &Command,
    county: CountyId,
    id: MessageId,
    settling: Settling,
) -> Result<Outcome<()>, Fault> {
    let actor = command.actor.clone();
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                let message = unit.locked::<Entity>(id).await?;
                let about = SubjectRef { kind: message.subject_kind, id: message.subject_id };
                let concerned = concerns::of(unit.connection(), about).await?;
                let subject = Subject {
                    county: Some(message.county_id),
                    township: message.township_id,
                    concerns_organizations: concerned.organizations,
                    concerns_staff: concerned.staff,
                    ..Subject::default()
                };
                may(&actor, Action::ResendMessage, &subject)?;
                let is_shown = match message.recipient_kind {
                    RecipientKind::Group => true,
                    RecipientKind::Staff => sees_persons(&actor),
                    RecipientKind::Resident => false,
                };
                if !is_shown {
                    return Err(Refusal::not_found().into());
                }
                settling.check(message.state)?;
                let update = Entity::update_many()
                    .col_expr(Column::ParkedReason, Expr::value(Option::<String>::None))
                    .filter(Column::Id.eq(id));
                let (update, act) = match settling {
                    Settling::Again => (
                        update
                            .col_expr(Column::State, Expr::value(MessageState::Pending))
                            .col_expr(Column::NotBefore, Expr::value(unit.now()))
                            .col_expr(Column::Attempts, Expr::value(0)),
                        "message_resent",
                    ),
                    Settling::Arrived => (
                        update
                            .col_expr(Column::State, Expr::value(MessageState::Sent))
                            .col_expr(Column::SentAt, Expr::value(message.not_before)),
                        "message_seen_to_have_arrived",
                    ),
                };
                unit.later(&update);
                Ok(Done::new((), AuditEntry::new(act, about)))
            })
        })
        .await
}

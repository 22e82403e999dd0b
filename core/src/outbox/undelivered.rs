//! Messages that did not get through, with the reason, and sending them again (6.1).
//!
//! A resident who gets a message about a complaint is the one who brought it up: residents' messages are only counted
//! ([`super::residents_missed`]), and nobody sends one again.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, Func},
};
use uuid::Uuid;

use super::{
    MessageState, RecipientKind,
    entity::{Column, Entity, Model},
};
use crate::{
    audit::AuditEntry,
    clock::shanghai_date,
    groups,
    ids::{CountyId, GroupId, MessageId, StaffId},
    people::{
        self, Actor,
        authorization::{Action, Reach, StaffReach, reach},
        concerns,
        entity::organizations,
    },
    refusal::{Fault, FieldFault, Refusal, RefusalKind},
    storage::{Command, Done, Outcome, Store, UnitOfWork},
    subject::SubjectRef,
};

/// Most rows of a page.
pub const PAGE: u64 = 30;
/// Most messages that are named at once.
pub const MOST_AT_ONCE: usize = 100;

/// What did not get through.
const STATES: [MessageState; 3] = [MessageState::Parked, MessageState::Stopped, MessageState::Unknown];

/// A card or a post that was parked, waits for its template, or of which nobody knows whether it arrived.
#[derive(Clone, Debug)]
pub struct Undelivered {
    /// Of its latest message: whatever is done with it is done with the whole card.
    pub id: MessageId,
    /// How many messages were in the card.
    pub messages: usize,
    pub recipient_kind: RecipientKind,
    /// The group or the member of staff, never a resident.
    pub recipient_id: Uuid,
    /// The name of the group or of the member of staff.
    pub recipient: Option<String>,
    /// Tells those of one name apart: the group's village, or unit and title of what the member of staff is today.
    pub recipient_place: Option<String>,
    pub kind: String,
    /// What it is about.
    pub title: Option<String>,
    /// What else was in the card.
    pub also: Vec<String>,
    pub state: MessageState,
    pub reason: String,
    pub created_at: DateTime<Utc>,
}

/// A page of what did not get through, and where the next one begins.
#[derive(Clone, Debug)]
pub struct UndeliveredPage {
    pub items: Vec<Undelivered>,
    pub next: Option<MessageId>,
}

/// What did not get through to staff and groups in the actor's reach, latest first; `before` is where the page before ended. What was
/// in one card is one row. Who does not work on complaints sees the groups' posts only.
///
/// # Errors
/// `forbidden` for those who see no messages; when the database does not answer.
pub async fn undelivered(store: &Store, actor: &Actor, before: Option<MessageId>) -> Result<UndeliveredPage, Fault> {
    let Reach::Staff(reach) = reach(actor, Action::ViewMessages) else { return Err(Refusal::forbidden().into()) };
    let mut query = Entity::find().filter(shown(actor, &reach)).filter(Column::State.is_in(STATES));
    if let Some(before) = before {
        query = query.filter(Column::Id.lt(before));
    }
    let rows = query.order_by_desc(Column::Id).limit(PAGE).all(store.reader()).await?;
    let next = if rows.len() as u64 == PAGE { rows.last().map(|row| row.id) } else { None };
    let cards = cards(store.reader(), &rows, shown(actor, &reach)).await?;
    let recipients = recipients(store, &rows).await?;
    let items = rows.into_iter().filter_map(|row| {
        let card = card_of(&row).and_then(|card| cards.get(&card)).map(Vec::as_slice).unwrap_or_default();
        // The latest message of a card stands for it.
        if card.iter().any(|other| other.id > row.id) {
            return None;
        }
        let id = row.id;
        let others = || card.iter().filter(move |other| other.id != id);
        let recipient = recipients.get(&row.recipient_id).cloned();
        Some(Undelivered {
            id,
            messages: others().count() + 1,
            title: title(&row),
            also: others().filter_map(title).collect(),
            recipient_kind: row.recipient_kind,
            recipient_id: row.recipient_id,
            recipient_place: recipient.as_ref().map(|known| known.place.clone()).filter(|place| !place.is_empty()),
            recipient: recipient.map(|known| known.name),
            kind: row.kind,
            state: row.state,
            reason: row.parked_reason.unwrap_or_default(),
            created_at: row.created_at,
        })
    });
    Ok(UndeliveredPage { items: items.collect(), next })
}

fn title(row: &Model) -> Option<String> {
    row.facts.get("title").and_then(|title| title.as_str()).map(str::to_owned)
}

/// What somebody is shown of the messages in reach, and may do something about.
fn shown(actor: &Actor, reach: &StaffReach) -> Condition {
    let mut shown = Condition::all()
        .add(Column::TownshipId.is_in(reach.townships.iter().copied()))
        .add(Column::RecipientKind.ne(RecipientKind::Resident))
        .add(concerns::not_concerning(reach, Expr::col((Entity, Column::SubjectId))));
    if !sees_persons(actor) {
        shown = shown.add(Column::RecipientKind.eq(RecipientKind::Group));
    }
    shown
}

/// Messages that left together and have the same end are one card.
fn card_of(row: &Model) -> Option<(Uuid, MessageState)> {
    row.card_id.map(|card| (card, row.state))
}

/// What is shown of the cards in which these messages are.
async fn cards(
    connection: &impl ConnectionTrait,
    rows: &[Model],
    shown: Condition,
) -> Result<HashMap<(Uuid, MessageState), Vec<Model>>, Fault> {
    let mut cards: HashMap<_, Vec<Model>> = HashMap::new();
    let ids: HashSet<_> = rows.iter().filter_map(|row| row.card_id).collect();
    if ids.is_empty() {
        return Ok(cards);
    }
    let together = Entity::find()
        .filter(Column::CardId.is_in(ids))
        .filter(Column::State.is_in(STATES))
        .filter(shown)
        .order_by_asc(Column::Id)
        .all(connection)
        .await?;
    for row in together {
        if let Some(card) = card_of(&row) {
            cards.entry(card).or_default().push(row);
        }
    }
    Ok(cards)
}

pub(super) fn sees_persons(actor: &Actor) -> bool {
    reach(actor, Action::DispatchComplaint) != Reach::Nothing
}

/// Who gets a message.
#[derive(Clone)]
struct Known {
    name: String,
    /// Empty where nothing is known of it.
    place: String,
}

/// The groups and members of staff that get these messages.
async fn recipients(store: &Store, rows: &[Model]) -> Result<HashMap<Uuid, Known>, Fault> {
    let connection = store.reader();
    let of =
        |kind: RecipientKind| rows.iter().filter(move |row| row.recipient_kind == kind).map(|row| row.recipient_id);
    let people = people::names(connection, of(RecipientKind::Staff).map(StaffId)).await?;
    let today = shanghai_date(store.clock().now());
    let titles = people::titles(connection, people.keys().copied(), today).await?;
    let chats = groups::entity::Entity::find()
        .filter(groups::entity::Column::Id.is_in(of(RecipientKind::Group).map(GroupId)))
        .all(connection)
        .await?;
    let villages = organizations::Entity::find()
        .filter(organizations::Column::Id.is_in(chats.iter().map(|chat| chat.village_id)))
        .all(connection)
        .await?;
    let people = people.into_iter().map(|(id, name)| {
        let place = titles.get(&id).map(|titles| titles.join("、")).unwrap_or_default();
        (id.0, Known { name, place })
    });
    let chats = chats.into_iter().map(|chat| {
        let village = villages.iter().find(|village| village.id == chat.village_id);
        let place = village.map(|village| village.name.clone()).unwrap_or_default();
        (chat.id.0, Known { name: chat.name, place })
    });
    Ok(people.chain(chats).collect())
}

/// Sends messages again that were parked, or of which nobody knows whether they arrived: a person has decided that twice is better
/// than never. What was in one card is sent in one again.
///
/// # Errors
/// `message_not_parked` when they are all on their way, sent or withdrawn; `post_retracted`; `not_found` for what the actor is not
/// shown; when none or too many are named.
pub async fn resend(
    store: &Store,
    command: &Command,
    county: CountyId,
    ids: Vec<MessageId>,
) -> Result<Outcome<()>, Fault> {
    settle(store, command, county, ids, Settling::Again).await
}

/// Puts down that messages arrived of which nobody knew that: a person has seen it, or asked. A whole card did.
///
/// # Errors
/// `message_not_unknown` when it is known of all what became of them; else as [`resend`].
pub async fn arrived(
    store: &Store,
    command: &Command,
    county: CountyId,
    ids: Vec<MessageId>,
) -> Result<Outcome<()>, Fault> {
    settle(store, command, county, ids, Settling::Arrived).await
}

/// What a person decides about messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Settling {
    Again,
    Arrived,
}

impl Settling {
    fn check(self, message: &Model) -> Result<(), Fault> {
        let (fits, code, sentence) = match self {
            Self::Again => {
                (STATES.contains(&message.state), "message_not_parked", "这条消息已经在发送或已送达，不用重新发送。")
            }
            Self::Arrived => (
                message.state == MessageState::Unknown,
                "message_not_unknown",
                "这条消息是否送到已经清楚，不用再确认。",
            ),
        };
        if !fits {
            return Err(Refusal::new(RefusalKind::Conflict, code, sentence).into());
        }
        // Taken back, and maybe in its group all the same: never sent again.
        if self == Self::Again && message.retracted_at.is_some() {
            return Err(groups::retraction::retracted());
        }
        Ok(())
    }

    fn act(self) -> &'static str {
        match self {
            Self::Again => "message_resent",
            Self::Arrived => "message_seen_to_have_arrived",
        }
    }
}

/// Settles what is named and fits, and what left in the same cards; refused when nothing that is named fits. Of several, those that
/// somebody else has settled meanwhile stay as they are.
async fn settle(
    store: &Store,
    command: &Command,
    county: CountyId,
    ids: Vec<MessageId>,
    settling: Settling,
) -> Result<Outcome<()>, Fault> {
    if !(1..=MOST_AT_ONCE).contains(&ids.len()) {
        let sentence = format!("一次可以处理1至{MOST_AT_ONCE}条消息。");
        return Err(Refusal::invalid(vec![FieldFault::new("/ids", sentence)]).into());
    }
    let actor = command.actor.clone();
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                let Reach::Staff(reach) = reach(&actor, Action::ResendMessage) else {
                    return Err(Refusal::not_found().into());
                };
                let named: HashSet<_> = ids.into_iter().collect();
                let rows = Entity::find()
                    .filter(Column::Id.is_in(named.iter().copied()))
                    .filter(shown(&actor, &reach))
                    .order_by_asc(Column::Id)
                    .lock_exclusive()
                    .all(unit.connection())
                    .await?;
                if rows.len() != named.len() {
                    return Err(Refusal::not_found().into());
                }
                let (fit, other): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| settling.check(row).is_ok());
                if let (true, Some(row)) = (fit.is_empty(), other.first()) {
                    settling.check(row)?;
                }
                let mut all = cards(unit.connection(), &fit, shown(&actor, &reach)).await?;
                all.retain(|card, _| fit.iter().any(|row| card_of(row) == Some(*card)));
                let mut settled: BTreeMap<_, _> = fit.into_iter().map(|row| (row.id, row)).collect();
                settled.extend(all.into_values().flatten().map(|row| (row.id, row)));
                let settled: Vec<_> = settled.into_values().filter(|row| settling.check(row).is_ok()).collect();
                write(unit, &settled, settling).await?;
                let about = settled.iter().map(|row| SubjectRef { kind: row.subject_kind, id: row.subject_id });
                let mut seen = HashSet::new();
                let about: Vec<_> = about.filter(|about| seen.insert(*about)).collect();
                let mut acts = about.into_iter().map(|about| AuditEntry::new(settling.act(), about));
                let first = acts.next().ok_or_else(Refusal::not_found)?;
                Ok(Done::new((), first).recording(acts))
            })
        })
        .await
}

async fn write(unit: &UnitOfWork, settled: &[Model], settling: Settling) -> Result<(), Fault> {
    if settling == Settling::Arrived {
        for post in settled.iter().filter(|row| row.retracted_at.is_some()) {
            // It was taken back, and is corrected now that it is seen in its group.
            groups::tasks::seen_in_the_group(unit, post).await?;
        }
    }
    let update = Entity::update_many()
        .col_expr(Column::ParkedReason, Expr::value(Option::<String>::None))
        .filter(Column::Id.is_in(settled.iter().map(|row| row.id)))
        // Nobody has settled it since it was read.
        .filter(Column::State.is_in(STATES));
    unit.later(&match settling {
        Settling::Again => update
            .col_expr(Column::State, Expr::value(MessageState::Pending))
            .col_expr(Column::NotBefore, Expr::value(unit.now()))
            .col_expr(Column::Attempts, Expr::value(0)),
        // On the day on which it left, and the whole card at one instant: it counts among that day's cards as one.
        Settling::Arrived => {
            let left_at = Func::coalesce([Expr::col(Column::LeftAt), Expr::col(Column::NotBefore)]);
            update
                .col_expr(Column::State, Expr::value(MessageState::Sent))
                .col_expr(Column::SentAt, Expr::from(left_at))
        }
    });
    Ok(())
}

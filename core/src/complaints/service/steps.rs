//! The steps that every act on a complaint shares.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::Expr};

use crate::{
    campaigns::{self, plan::ComplaintClocks},
    complaints::{
        Act, Context, Event, apply,
        clocks::SILENCE_DAYS,
        entity::{complaints, entries},
        queries::subject_of,
        verdict,
    },
    ids::{ComplaintId, EntryId},
    outbox::{Notice, Recipient},
    people::{
        Actor,
        authorization::{Action, Subject, may},
    },
    refusal::{Fault, FieldFault, Refusal},
    storage::UnitOfWork,
};

/// A complaint under its row lock, with the permission already given.
pub(super) struct Held {
    pub(super) complaint: complaints::Model,
    pub(super) subject: Subject,
}

/// Locks the complaint and asks for permission on what is stored, not on what was sent.
pub(super) async fn hold(unit: &UnitOfWork, actor: &Actor, action: Action, id: ComplaintId) -> Result<Held, Fault> {
    let complaint = complaints::Entity::find_by_id(id)
        .lock_exclusive()
        .one(unit.connection())
        .await?
        .ok_or_else(Refusal::not_found)?;
    let subject = subject_of(unit.connection(), &complaint).await?;
    may(actor, action, &subject)?;
    Ok(Held { complaint, subject })
}

/// The limits in force where the complaint belongs: the running campaign's, or the law's.
pub(super) async fn clocks(unit: &UnitOfWork, complaint: &complaints::Model) -> Result<ComplaintClocks, Fault> {
    campaigns::queries::complaint_clocks(unit.connection(), complaint.township_id, unit.today()).await
}

/// What the rules need to know beside the state.
pub(super) async fn context(unit: &UnitOfWork, complaint: &complaints::Model) -> Result<Context, Fault> {
    let standing = verdict(unit.connection(), complaint).await?;
    let silent_since = complaint.answered_at.map(|at| (unit.now() - at).num_days());
    Ok(Context {
        returns: complaint.returns,
        sole_reporter: standing.reporters == 1,
        called_back: standing.called_back,
        called_back_since_answer: standing.called_back_since_answer,
        anybody_dissatisfied: standing.anybody_dissatisfied,
        everybody_rated: standing.everybody_rated,
        silent_long_enough: silent_since.is_some_and(|days| days >= SILENCE_DAYS),
    })
}

/// Applies the rule and writes the new state. The caller has changed whatever else changes in the row.
pub(super) async fn advance(
    unit: &UnitOfWork,
    complaint: &mut complaints::Model,
    act: Act,
    context: &Context,
) -> Result<Vec<Event>, Fault> {
    let (state, events) = apply(complaint.state, act, context).map_err(Fault::refused)?;
    complaint.state = state;
    if events.contains(&Event::RoundOpened) {
        complaint.round += 1;
    }
    if events.contains(&Event::ClosedInSilence) {
        complaint.closed_in_silence = true;
    }
    write(unit, complaint);
    Ok(events)
}

pub(super) fn write(unit: &UnitOfWork, complaint: &complaints::Model) {
    use complaints::Column as C;
    let update = complaints::Entity::update_many()
        .col_expr(C::State, Expr::value(complaint.state))
        .col_expr(C::Kind, Expr::value(complaint.kind))
        .col_expr(C::Category, Expr::value(complaint.category))
        .col_expr(C::Round, Expr::value(complaint.round))
        .col_expr(C::Returns, Expr::value(complaint.returns))
        .col_expr(C::LeadUnitId, Expr::value(complaint.lead_unit_id))
        .col_expr(C::HandlerId, Expr::value(complaint.handler_id))
        .col_expr(C::FirstUnitId, Expr::value(complaint.first_unit_id))
        .col_expr(C::MergedIntoId, Expr::value(complaint.merged_into_id))
        .col_expr(C::ClosedInSilence, Expr::value(complaint.closed_in_silence))
        .col_expr(C::AnsweredAt, Expr::value(complaint.answered_at))
        .col_expr(C::ChangedAt, Expr::value(unit.now()))
        .filter(C::Id.eq(complaint.id));
    unit.later(&update);
}

/// A line of the timeline.
pub(super) struct Entry<'a> {
    pub(super) kind: &'static str,
    pub(super) text: &'a str,
    pub(super) details: Option<serde_json::Value>,
    pub(super) visible_to_reporter: bool,
}

impl<'a> Entry<'a> {
    pub(super) fn shown(kind: &'static str, text: &'a str) -> Self {
        Self { kind, text, details: None, visible_to_reporter: true }
    }

    pub(super) fn internal(kind: &'static str, text: &'a str) -> Self {
        Self { visible_to_reporter: false, ..Self::shown(kind, text) }
    }
}

pub(super) fn note(unit: &UnitOfWork, actor: &Actor, complaint: &complaints::Model, entry: Entry<'_>) {
    unit.later(&entries::Entity::insert(entries::ActiveModel {
        id: Set(EntryId::new(unit.randomness(), unit.now())),
        county_id: Set(complaint.county_id),
        complaint_id: Set(complaint.id),
        round: Set(complaint.round),
        kind: Set(entry.kind.to_owned()),
        text: Set(entry.text.to_owned()),
        details: Set(entry.details),
        staff_id: Set(actor.staff().map(|staff| staff.id)),
        visible_to_reporter: Set(entry.visible_to_reporter),
        at: Set(unit.now()),
    }));
}

/// The same news to everybody who brought the matter up.
pub(super) fn tell_reporters(held: &Held, kind: &'static str, facts: &serde_json::Value) -> Vec<Notice> {
    held.subject
        .reporters
        .iter()
        .map(|resident| {
            Notice::new(Recipient::Resident(*resident), kind, held.complaint.id)
                .round(held.complaint.round)
                .township(held.complaint.township_id)
                .facts(facts.clone())
        })
        .collect()
}

/// News to whoever works on it.
pub(super) fn tell_handler(complaint: &complaints::Model, kind: &'static str, facts: serde_json::Value) -> Vec<Notice> {
    complaint
        .handler_id
        .map(|handler| {
            Notice::new(Recipient::Staff(handler), kind, complaint.id)
                .round(complaint.round)
                .township(complaint.township_id)
                .facts(facts)
        })
        .into_iter()
        .collect()
}

/// Longest reason or instruction, in characters.
const LONGEST_REASON: usize = 500;

/// A reason as people wrote it.
pub(super) fn reason(pointer: &str, text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > LONGEST_REASON {
        return Err(Refusal::invalid(vec![FieldFault::new(
            pointer,
            format!("请写明理由，最多{LONGEST_REASON}个字。"),
        )]));
    }
    Ok(text.to_owned())
}

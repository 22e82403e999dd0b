//! The steps that every act on an item shares.

use chrono::NaiveDate;
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, Query},
};

use crate::{
    campaigns,
    complaints::entity::complaints,
    deadlines::{self, NewDeadline},
    ids::{EntryId, RectificationId},
    outbox::{Notice, Recipient},
    people::{
        Actor,
        authorization::{Action, Subject, may},
    },
    problems::entity::complaints as complaint_links,
    rectification::{
        Act, Context, Event, Threshold, apply,
        entity::{entries, measures, problems as problem_links, rectifications},
        queries::{subject_of, tally},
    },
    refusal::{Fault, Refusal},
    storage::UnitOfWork,
};

/// An item under its row lock, with the permission already given.
pub(super) struct Held {
    pub(super) item: rectifications::Model,
    pub(super) subject: Subject,
}

pub(super) async fn hold(unit: &UnitOfWork, actor: &Actor, action: Action, id: RectificationId) -> Result<Held, Fault> {
    let item = rectifications::Entity::find_by_id(id)
        .lock_exclusive()
        .one(unit.connection())
        .await?
        .ok_or_else(Refusal::not_found)?;
    let subject = subject_of(unit.connection(), &item).await?;
    may(actor, action, &subject)?;
    Ok(Held { item, subject })
}

pub(super) async fn context(unit: &UnitOfWork, item: &rectifications::Model) -> Result<Context, Fault> {
    let tally = tally(unit.connection(), item.id, item.round).await?;
    let measures =
        measures::Entity::find().filter(measures::Column::RectificationId.eq(item.id)).count(unit.connection()).await?;
    let campaign = campaigns::queries::in_force(unit.connection(), item.township_id, unit.today()).await?;
    let threshold = campaign.map(|campaign| Threshold::from(campaign.plan.satisfaction)).unwrap_or_default();
    let days_are_over = item.evaluation_closes_on.is_some_and(|last| unit.today() > last);
    Ok(Context {
        verdict: tally.verdict(&threshold),
        voting_is_over: days_are_over || (tally.eligible > 0 && tally.answered() == tally.eligible),
        township_passed: item.township_passed,
        linked_complaint_dissatisfied: linked_complaint_dissatisfied(unit, item.id).await?,
        has_plan: measures > 0 && !item.commitment.is_empty(),
    })
}

/// Whether somebody's last word on a complaint that led to the item was a bad one.
async fn linked_complaint_dissatisfied(unit: &UnitOfWork, id: RectificationId) -> Result<bool, Fault> {
    let problems = Query::select()
        .column(problem_links::Column::ProblemId)
        .from(problem_links::Entity)
        .and_where(problem_links::Column::RectificationId.eq(id))
        .take();
    let linked = Query::select()
        .column(complaint_links::Column::ComplaintId)
        .from(complaint_links::Entity)
        .and_where(complaint_links::Column::ProblemId.in_subquery(problems))
        .take();
    let complaints = complaints::Entity::find()
        .filter(complaints::Column::Id.in_subquery(linked))
        .filter(complaints::Column::State.ne(crate::complaints::State::Withdrawn))
        .all(unit.connection())
        .await?;
    for complaint in complaints {
        if crate::complaints::verdict(unit.connection(), &complaint).await?.anybody_dissatisfied {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Applies the rule and writes the row. A new round clears the township's evaluation.
pub(super) async fn advance(
    unit: &UnitOfWork,
    item: &mut rectifications::Model,
    act: Act,
    context: &Context,
) -> Result<Vec<Event>, Fault> {
    let (state, events) = apply(item.state, act, context).map_err(Fault::refused)?;
    item.state = state;
    if events.contains(&Event::RoundOpened) {
        item.round += 1;
        item.township_passed = false;
        item.evaluation_closes_on = None;
        item.closed_at = None;
    }
    write(unit, item).await?;
    Ok(events)
}

pub(super) async fn write(unit: &UnitOfWork, item: &rectifications::Model) -> Result<(), Fault> {
    use rectifications::Column as C;
    rectifications::Entity::update_many()
        .col_expr(C::State, Expr::value(item.state))
        .col_expr(C::Round, Expr::value(item.round))
        .col_expr(C::Commitment, Expr::value(item.commitment.clone()))
        .col_expr(C::EvaluationClosesOn, Expr::value(item.evaluation_closes_on))
        .col_expr(C::TownshipPassed, Expr::value(item.township_passed))
        .col_expr(C::PublishedAt, Expr::value(item.published_at))
        .col_expr(C::ClosedAt, Expr::value(item.closed_at))
        .col_expr(C::ChangedAt, Expr::value(unit.now()))
        .filter(C::Id.eq(item.id))
        .exec(unit.connection())
        .await?;
    Ok(())
}

pub(super) async fn note(
    unit: &UnitOfWork,
    actor: &Actor,
    item: &rectifications::Model,
    kind: &'static str,
    text: &str,
    is_public: bool,
) -> Result<EntryId, Fault> {
    let id = EntryId::new(unit.randomness(), unit.now());
    entries::Entity::insert(entries::ActiveModel {
        id: Set(id),
        county_id: Set(item.county_id),
        rectification_id: Set(item.id),
        round: Set(item.round),
        kind: Set(kind.to_owned()),
        text: Set(text.to_owned()),
        staff_id: Set(actor.staff().map(|staff| staff.id)),
        is_public: Set(is_public),
        at: Set(unit.now()),
    })
    .exec_without_returning(unit.connection())
    .await?;
    Ok(id)
}

/// Opens the deadline of a round, on a date that a person set.
pub(super) async fn open_deadline(
    unit: &UnitOfWork,
    item: &rectifications::Model,
    due_on: NaiveDate,
    explanation: String,
) -> Result<(), Fault> {
    deadlines::open(
        unit,
        NewDeadline {
            county: item.county_id,
            township: Some(item.township_id),
            subject: item.id.into(),
            title: item.title.clone(),
            kind: "rectify",
            round: item.round,
            start_on: unit.today(),
            limit: serde_json::json!({"fixed": due_on}),
            due_on: Some(due_on),
            explanation,
            responsible_staff: Some(item.responsible_staff_id),
            responsible_unit: Some(item.lead_unit_id),
        },
    )
    .await?;
    Ok(())
}

pub(super) fn tell_responsible(item: &rectifications::Model, kind: &'static str, facts: serde_json::Value) -> Notice {
    Notice::new(Recipient::Staff(item.responsible_staff_id), kind, item.id)
        .round(item.round)
        .township(item.township_id)
        .facts(facts)
}

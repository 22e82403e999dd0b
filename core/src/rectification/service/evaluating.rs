use chrono::{Days, NaiveDate};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, ExprTrait, Iterable, QueryFilter, QuerySelect,
    sea_query::{Expr, OnConflict},
};
use serde_json::json;

use super::steps::{advance, context, hold, note, open_deadline, tell_responsible};
use crate::{
    audit::AuditEntry,
    calendar::{Calendar, Limit},
    complaints::SatisfactionLevel,
    ids::{CountyId, RectificationId},
    outbox::{Notice, Recipient},
    people::{
        Actor,
        authorization::{Action, Subject, may},
    },
    rectification::{
        Act, Event, RectificationRefusal, State,
        entity::{affected, participation, rectifications, tallies},
        queries,
    },
    refusal::{Fault, FieldFault, Refusal},
    storage::{Command, Done, Outcome, Store, UnitOfWork},
};

/// Working days for a new round after a bad verdict (confirm with the customer).
const NEXT_ROUND: Limit = Limit::working_days(20);
/// Days that residents have to answer.
const FEWEST_DAYS: u64 = 3;
const MOST_DAYS: u64 = 30;

/// The office invites everybody affected to judge, until the end of the given day. Everybody is told the same.
///
/// # Errors
/// When the actor may not, nothing was reported done, or the days are too few or too many.
pub async fn open_evaluation(
    store: &Store,
    command: &Command,
    county: CountyId,
    id: RectificationId,
    closes_on: NaiveDate,
) -> Result<Outcome<()>, Fault> {
    let actor = command.actor.clone();
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                let mut held = hold(unit, &actor, Action::OpenResidentsEvaluation, id).await?;
                let window = unit.today() + Days::new(FEWEST_DAYS)..=unit.today() + Days::new(MOST_DAYS);
                if !window.contains(&closes_on) {
                    let sentence = format!("评价时间要有{FEWEST_DAYS}到{MOST_DAYS}天。");
                    return Err(Refusal::invalid(vec![FieldFault::new("/closes_on", sentence)]).into());
                }
                let context = context(unit, &held.item).await?;
                held.item.evaluation_closes_on = Some(closes_on);
                advance(unit, &mut held.item, Act::OpenEvaluation, &context).await?;
                note(unit, &actor, &held.item, "evaluation_opened", "请受影响的群众评价", true).await?;
                let facts = json!({"title": held.item.title, "closes_on": closes_on});
                let invitations: Vec<_> = held
                    .subject
                    .affected
                    .iter()
                    .map(|resident| {
                        Notice::new(Recipient::Resident(*resident), "evaluation_opened", id)
                            .round(held.item.round)
                            .township(held.item.township_id)
                            .facts(facts.clone())
                    })
                    .collect();
                Ok(Done::new((), AuditEntry::new("evaluation_opened", id)).telling(invitations))
            })
        })
        .await
}

/// A resident's answer.
#[derive(Clone, Copy, Debug)]
pub struct NewEvaluation {
    pub level: SatisfactionLevel,
}

/// An affected resident judges the round, once. Two things are written that have nothing in common but the item: that
/// this resident took part, and that one more answered so.
///
/// # Errors
/// When the actor is not affected, has answered, or the days are over.
pub async fn evaluate(store: &Store, actor: &Actor, id: RectificationId, answer: NewEvaluation) -> Result<(), Fault> {
    let resident = actor.resident().cloned().ok_or_else(Refusal::forbidden)?;
    let actor = actor.clone();
    store
        .anonymous(move |unit| {
            Box::pin(async move {
                // One answer at a time: the round cannot change, and the figures are written together below.
                let item = rectifications::Entity::find_by_id(id)
                    .lock_exclusive()
                    .one(unit.connection())
                    .await?
                    .ok_or_else(Refusal::not_found)?;
                let on_roll = affected::Entity::find()
                    .filter(affected::Column::RectificationId.eq(id))
                    .filter(affected::Column::ResidentId.eq(resident.id))
                    .one(unit.connection())
                    .await?;
                let subject = Subject {
                    county: Some(item.county_id),
                    affected: on_roll.iter().map(|row| row.resident_id).collect(),
                    // Stays closed to those who are not on the roll.
                    reporters: Vec::new(),
                    complaint: None,
                    ..Subject::default()
                };
                may(&actor, Action::EvaluateRectification, &subject)?;
                let open = item.state == State::Evaluating
                    && item.evaluation_closes_on.is_some_and(|last| unit.today() <= last);
                if !open {
                    return Err(Fault::refused(RectificationRefusal::WrongState { state: item.state }));
                }
                let first = participation::Entity::insert(participation::ActiveModel {
                    county_id: Set(item.county_id),
                    rectification_id: Set(id),
                    round: Set(item.round),
                    resident_id: Set(resident.id),
                })
                .on_conflict(
                    OnConflict::columns([
                        participation::Column::RectificationId,
                        participation::Column::Round,
                        participation::Column::ResidentId,
                    ])
                    .do_nothing()
                    .to_owned(),
                )
                .exec_without_returning(unit.connection())
                .await?;
                if first == 0 {
                    return Err(Fault::refused(RectificationRefusal::AlreadyEvaluated));
                }
                count(unit, &item, answer.level).await
            })
        })
        .await
}

/// One more who answered so.
///
/// Rows keep the number of the transaction that wrote them (xmin). With all figures of the round written by each answer, in one
/// statement, that number does not tell which one the last person to take part has raised. And all figures are there from the
/// first answer on: which level was named first, second, third cannot be seen either.
async fn count(unit: &UnitOfWork, item: &rectifications::Model, level: SatisfactionLevel) -> Result<(), Fault> {
    use tallies::Column as C;
    let figures = SatisfactionLevel::iter().map(|level| tallies::ActiveModel {
        county_id: Set(item.county_id),
        rectification_id: Set(item.id),
        round: Set(item.round),
        level: Set(level),
        answers: Set(0),
    });
    let once = OnConflict::columns([C::RectificationId, C::Round, C::Level]).do_nothing().to_owned();
    tallies::Entity::insert_many(figures).on_conflict(once).exec_without_returning(unit.connection()).await?;
    let answers = Expr::col(C::Answers);
    tallies::Entity::update_many()
        .col_expr(C::Answers, Expr::case(C::Level.eq(level), answers.clone().add(1)).finally(answers).into())
        .filter(C::RectificationId.eq(item.id))
        .filter(C::Round.eq(item.round))
        .exec(unit.connection())
        .await?;
    Ok(())
}

/// The voting days are over: the office reads the verdict. When the residents are not content, the item goes back to
/// work with a new deadline, whatever anybody thinks of it.
///
/// # Errors
/// When people may still answer, or too few did.
pub async fn read_verdict(
    store: &Store,
    calendar: &Calendar,
    command: &Command,
    county: CountyId,
    id: RectificationId,
) -> Result<Outcome<State>, Fault> {
    let (actor, calendar) = (command.actor.clone(), calendar.clone());
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                let mut held = hold(unit, &actor, Action::OpenResidentsEvaluation, id).await?;
                let context = context(unit, &held.item).await?;
                let tally = queries::tally(unit.connection(), id, held.item.round).await?;
                let events = advance(unit, &mut held.item, Act::ReadVerdict, &context).await?;
                let figures = match tally.shown_share() {
                    Some(share) => format!("{}人参加评价，满意率{share}%", tally.answered()),
                    None => "参加评价的人较少，不公布数字".to_owned(),
                };
                let returned = events.contains(&Event::RoundOpened);
                let text = if returned {
                    format!("{figures}，群众不满意，退回整改")
                } else {
                    format!("{figures}，群众满意")
                };
                note(unit, &actor, &held.item, "verdict", &text, true).await?;
                let mut notices = Vec::new();
                if returned {
                    back_to_work(unit, &calendar, &held.item, "群众不满意，退回整改").await?;
                    let facts = json!({"title": held.item.title, "number": held.item.number});
                    notices.push(tell_responsible(&held.item, "close_out_refused", facts));
                }
                Ok(Done::new(held.item.state, AuditEntry::new("verdict_read", id)).telling(notices))
            })
        })
        .await
}

pub(super) async fn back_to_work(
    unit: &UnitOfWork,
    calendar: &Calendar,
    item: &rectifications::Model,
    why: &str,
) -> Result<(), Fault> {
    let worked_out = calendar.due_date(unit.today(), NEXT_ROUND);
    // An unknown calendar must not leave an item without a date.
    let due_on = worked_out.due_on.unwrap_or(unit.today() + Days::new(30));
    open_deadline(unit, item, due_on, format!("{why}；{}", worked_out.explanation)).await
}

use serde_json::json;

use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter,
    sea_query::{Expr, Query},
};

use super::{
    evaluating::back_to_work,
    steps::{advance, context, hold, note, tell_responsible, write},
};
use crate::{
    audit::AuditEntry,
    calendar::Calendar,
    complaints::Body,
    deadlines::{self, DeadlineStatus},
    ids::{CountyId, RectificationId},
    people::authorization::Action,
    problems::entity::problems,
    publication::{PublicText, check_residents},
    rectification::{Act, Event, entity::problems as problem_links},
    refusal::Fault,
    storage::{Command, Done, Outcome, Store},
};

/// 乡镇考评: the office records the township's evaluation of this round. A failed one sends the item back to work; a
/// passed one does not outweigh the residents.
///
/// # Errors
/// When the actor may not or the state does not allow it.
pub async fn township_evaluation(
    store: &Store,
    calendar: &Calendar,
    command: &Command,
    county: CountyId,
    id: RectificationId,
    passed: bool,
    opinion: &str,
) -> Result<Outcome<()>, Fault> {
    let (actor, calendar) = (command.actor.clone(), calendar.clone());
    let opinion = Body::parse("/opinion", opinion)?.into_string();
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                let mut held = hold(unit, &actor, Action::RecordTownshipEvaluation, id).await?;
                let context = context(unit, &held.item).await?;
                let events = advance(unit, &mut held.item, Act::TownshipEvaluation { passed }, &context).await?;
                if passed {
                    held.item.township_passed = true;
                    write(unit, &held.item).await?;
                }
                note(unit, &actor, &held.item, "township_evaluation", &opinion, false).await?;
                if events.contains(&Event::RoundOpened) {
                    back_to_work(unit, &calendar, &held.item, "乡镇考评未通过，退回整改").await?;
                }
                Ok(Done::new((), AuditEntry::new("township_evaluation", id).changing(&!passed, &passed)))
            })
        })
        .await
}

/// Closes the item out (销号), if the gate allows it.
///
/// # Errors
/// What stands against it; see [`crate::rectification::may_close`].
pub async fn close_out(
    store: &Store,
    command: &Command,
    county: CountyId,
    id: RectificationId,
) -> Result<Outcome<()>, Fault> {
    let actor = command.actor.clone();
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                let mut held = hold(unit, &actor, Action::CloseOutRectification, id).await?;
                let context = context(unit, &held.item).await?;
                held.item.closed_at = Some(unit.now());
                advance(unit, &mut held.item, Act::CloseOut, &context).await?;
                note(unit, &actor, &held.item, "closed", "已销号", true).await?;
                deadlines::end(unit, id.into(), None, DeadlineStatus::Met).await?;
                let linked = Query::select()
                    .column(problem_links::Column::ProblemId)
                    .from(problem_links::Entity)
                    .and_where(problem_links::Column::RectificationId.eq(id))
                    .take();
                problems::Entity::update_many()
                    .col_expr(problems::Column::Solved, Expr::value(true))
                    .filter(problems::Column::Id.in_subquery(linked))
                    .exec(unit.connection())
                    .await?;
                let facts = json!({"title": held.item.title, "number": held.item.number});
                let notice = tell_responsible(&held.item, "rectification_closed", facts);
                Ok(Done::new((), AuditEntry::new("rectification_closed", id)).telling([notice]))
            })
        })
        .await
}

/// What 回头看 found; stands on the board.
#[derive(Clone, Debug)]
pub struct Relapse {
    pub findings: String,
    /// Words that are on the village's roster and name nobody here.
    pub no_names: Vec<String>,
}

/// 回头看 found it broken again: back to work, counted as repeated.
///
/// # Errors
/// When the actor may not or it is not closed.
pub async fn relapse(
    store: &Store,
    calendar: &Calendar,
    command: &Command,
    county: CountyId,
    id: RectificationId,
    found: Relapse,
) -> Result<Outcome<()>, Fault> {
    let (actor, calendar) = (command.actor.clone(), calendar.clone());
    let findings = PublicText::parse("/findings", &found.findings)?.into_string();
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                let mut held = hold(unit, &actor, Action::SuperviseRectification, id).await?;
                let texts = [("/findings".to_owned(), &*findings)];
                let ordinary =
                    check_residents(unit.connection(), held.item.village_id, &texts, &found.no_names).await?;
                let context = context(unit, &held.item).await?;
                advance(unit, &mut held.item, Act::Relapse, &context).await?;
                note(unit, &actor, &held.item, "relapse", &findings, true).await?;
                back_to_work(unit, &calendar, &held.item, "回头看发现反弹，重新整改").await?;
                Ok(Done::new((), AuditEntry::new("rectification_relapsed", id)).recording(ordinary.recorded(id)))
            })
        })
        .await
}

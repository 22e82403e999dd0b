//! What the receiving office does. Its people see ciphertext here too: their browsers open it.

use chrono::NaiveDate;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};

use super::{
    Decision, Part, Side, State,
    entity::{parts, reports},
    intake::{must_be_sealed, next_number, parts_of, put_part},
    keys::{offices_of, subject},
};
use crate::{
    audit::AuditEntry,
    ids::{CountyId, OrganizationId, SealedReportId},
    people::{
        Actor,
        authorization::{Action, may},
    },
    refusal::{Fault, Refusal},
    storage::{Command, Done, Outcome, Store, UnitOfWork},
};

/// Reports on a page.
pub const PAGE: u64 = 30;

/// A report in the office's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedReport {
    pub id: SealedReportId,
    pub office: OrganizationId,
    pub received_on: NaiveDate,
    pub state: State,
    /// The reporter wrote last.
    pub waits: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportPage {
    pub items: Vec<ListedReport>,
    /// The last of this page, if there are more.
    pub next: Option<SealedReportId>,
}

/// The reports of the actor's offices, oldest first: their limit runs out first.
///
/// # Errors
/// `not_found` for everybody else.
pub async fn list(store: &Store, actor: &Actor, after: Option<SealedReportId>) -> Result<ReportPage, Fault> {
    use reports::Column;
    let offices = offices_of(actor)?;
    let mut query = reports::Entity::find().filter(Column::OfficeId.is_in(offices.iter().copied()));
    if let Some(after) = after {
        let last = reports::Entity::find_by_id(after).one(store.reader()).await?;
        let last = last.filter(|last| offices.contains(&last.office_id)).ok_or_else(Refusal::not_found)?;
        let same_day = Condition::all().add(Column::ReceivedOn.eq(last.received_on)).add(Column::Id.gt(after));
        query = query.filter(Condition::any().add(Column::ReceivedOn.gt(last.received_on)).add(same_day));
    }
    let mut rows =
        query.order_by_asc(Column::ReceivedOn).order_by_asc(Column::Id).limit(PAGE + 1).all(store.reader()).await?;
    let more = rows.len() as u64 > PAGE;
    rows.truncate(PAGE as usize);
    let sides: Vec<(SealedReportId, i32, Side)> = parts::Entity::find()
        .select_only()
        .columns([parts::Column::ReportId, parts::Column::Number, parts::Column::Side])
        .filter(parts::Column::ReportId.is_in(rows.iter().map(|row| row.id)))
        .order_by_asc(parts::Column::Number)
        .into_tuple()
        .all(store.reader())
        .await?;
    let waits = |id| sides.iter().rfind(|(report, ..)| *report == id).is_none_or(|(.., side)| *side == Side::Reporter);
    let items: Vec<_> = rows
        .into_iter()
        .map(|row| ListedReport {
            waits: waits(row.id),
            id: row.id,
            office: row.office_id,
            received_on: row.received_on,
            state: row.state,
        })
        .collect();
    Ok(ReportPage { next: items.last().filter(|_| more).map(|last| last.id), items })
}

/// The report under its lock, if the actor may do this to it; otherwise there is none.
async fn held(unit: &UnitOfWork, actor: &Actor, action: Action, id: SealedReportId) -> Result<reports::Model, Fault> {
    let report = reports::Entity::find_by_id(id)
        .lock_exclusive()
        .one(unit.connection())
        .await?
        .ok_or_else(Refusal::not_found)?;
    may(actor, action, &subject(report.county_id, report.office_id))?;
    Ok(report)
}

fn record(act: &'static str, action: Action, id: SealedReportId) -> AuditEntry {
    AuditEntry { permission: Some(action), ..AuditEntry::new(act, id) }
}

/// The envelopes of a report. That somebody took them is recorded before they are given.
///
/// # Errors
/// `not_found` for everybody but the officers of its office.
pub async fn read(
    store: &Store,
    command: &Command,
    county: CountyId,
    id: SealedReportId,
) -> Result<(ListedReport, Vec<Part>), Fault> {
    let actor = command.actor.clone();
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                held(unit, &actor, Action::ViewSealedReport, id).await?;
                Ok(Done::new((), record("sealed_report_read", Action::ViewSealedReport, id)))
            })
        })
        .await?;
    let row = reports::Entity::find_by_id(id).one(store.reader()).await?.ok_or_else(Refusal::not_found)?;
    let parts = parts_of(store, id).await?;
    let waits = parts.last().is_none_or(|last| last.side == Side::Reporter);
    let (office, received_on, state) = (row.office_id, row.received_on, row.state);
    Ok((ListedReport { id, office, received_on, state, waits }, parts))
}

/// Decides what a report is for the office, with an answer that only the reporter and the office can open.
///
/// # Errors
/// `not_found` for everybody but the officers of its office; `invalid_input` for an answer that is not sealed; `report_decided`.
pub async fn decide(
    store: &Store,
    command: &Command,
    county: CountyId,
    id: SealedReportId,
    decision: Decision,
    sealed: Vec<u8>,
) -> Result<Outcome<()>, Fault> {
    let actor = command.actor.clone();
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                let report = held(unit, &actor, Action::AnswerSealedReport, id).await?;
                must_be_sealed(&sealed).map_err(Fault::refused)?;
                let state = report.state.decide(decision).map_err(Fault::refused)?;
                let entry = record("sealed_report_decided", Action::AnswerSealedReport, id);
                let entry = entry.changing(&report.state, &state);
                let mut report = report.into_active_model();
                report.state = Set(state);
                reports::Entity::update(report).exec(unit.connection()).await?;
                let number = next_number(unit, id).await?;
                put_part(unit, id, number, Side::Office, sealed).await?;
                Ok(Done::new((), entry))
            })
        })
        .await
}

/// Answers the reporter, in whatever state the report is.
///
/// # Errors
/// As [`decide`].
pub async fn answer(
    store: &Store,
    command: &Command,
    county: CountyId,
    id: SealedReportId,
    sealed: Vec<u8>,
) -> Result<Outcome<()>, Fault> {
    let actor = command.actor.clone();
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                held(unit, &actor, Action::AnswerSealedReport, id).await?;
                must_be_sealed(&sealed).map_err(Fault::refused)?;
                let number = next_number(unit, id).await?;
                put_part(unit, id, number, Side::Office, sealed).await?;
                Ok(Done::new((), record("sealed_report_answered", Action::AnswerSealedReport, id)))
            })
        })
        .await
}

use chrono::NaiveDate;
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, ExprTrait, QueryFilter,
    sea_query::{Expr, OnConflict},
};

use super::{DeadlineStatus, entity::deadlines};
use crate::{
    ids::{CountyId, DeadlineId, OrganizationId, StaffId},
    refusal::Fault,
    storage::UnitOfWork,
    subject::SubjectRef,
};

/// A deadline to be opened.
#[derive(Clone, Debug)]
pub struct NewDeadline {
    pub county: CountyId,
    pub township: Option<OrganizationId>,
    pub subject: SubjectRef,
    /// Shown in reminders and on the desk; nothing that tells who reported.
    pub title: String,
    /// What has to be done by then, e.g. `answer`.
    pub kind: &'static str,
    pub round: i32,
    pub start_on: NaiveDate,
    /// The rule it was worked out by, as JSON.
    pub limit: serde_json::Value,
    /// None while the calendar of that year is unknown.
    pub due_on: Option<NaiveDate>,
    pub explanation: String,
    pub responsible_staff: Option<StaffId>,
    pub responsible_unit: Option<OrganizationId>,
}

/// Opens a deadline.
///
/// # Errors
/// When the subject already has one of this kind in this round, or the database does not answer.
pub async fn open(unit: &UnitOfWork, new: NewDeadline) -> Result<DeadlineId, Fault> {
    let row = row(unit, new);
    let id = *row.id.as_ref();
    deadlines::Entity::insert(row).exec_without_returning(unit.connection()).await?;
    Ok(id)
}

/// Opens a deadline that the subject may have had before in this round: then that one runs again, to the new date.
///
/// # Errors
/// When the database does not answer.
pub async fn open_again(unit: &UnitOfWork, new: NewDeadline) -> Result<(), Fault> {
    use deadlines::Column as C;
    let again = OnConflict::columns([C::SubjectId, C::Kind, C::Round])
        .update_columns([
            C::StartOn,
            C::DueOn,
            C::OriginalDueOn,
            C::Explanation,
            C::Status,
            C::EndedOn,
            C::AcknowledgedOn,
            C::DisputedOn,
            C::DisputedBy,
            C::DisputeReason,
        ])
        .to_owned();
    deadlines::Entity::insert(row(unit, new)).on_conflict(again).exec_without_returning(unit.connection()).await?;
    Ok(())
}

fn row(unit: &UnitOfWork, new: NewDeadline) -> deadlines::ActiveModel {
    deadlines::ActiveModel {
        id: Set(DeadlineId::new(unit.randomness(), unit.now())),
        county_id: Set(new.county),
        township_id: Set(new.township),
        subject_kind: Set(new.subject.kind),
        subject_id: Set(new.subject.id),
        subject_title: Set(new.title),
        kind: Set(new.kind.to_owned()),
        round: Set(new.round),
        start_on: Set(new.start_on),
        limit: Set(new.limit),
        due_on: Set(new.due_on),
        original_due_on: Set(new.due_on),
        explanation: Set(new.explanation),
        status: Set(DeadlineStatus::Open),
        ended_on: Set(None),
        responsible_staff_id: Set(new.responsible_staff),
        responsible_unit_id: Set(new.responsible_unit),
        extensions: Set(0),
        acknowledged_on: Set(None),
        acknowledged_by: Set(None),
        disputed_on: Set(None),
        disputed_by: Set(None),
        dispute_reason: Set(None),
        created_at: Set(unit.now()),
    }
}

/// Ends the open deadlines of a subject: those of one kind, or all when `kind` is none. Returns how many.
///
/// # Errors
/// When the database does not answer.
pub async fn end(
    unit: &UnitOfWork,
    subject: SubjectRef,
    kind: Option<&str>,
    status: DeadlineStatus,
) -> Result<u64, Fault> {
    let mut update = deadlines::Entity::update_many()
        .col_expr(deadlines::Column::Status, Expr::value(status))
        .col_expr(deadlines::Column::EndedOn, Expr::value(Some(unit.today())))
        .filter(deadlines::Column::SubjectId.eq(subject.id))
        .filter(deadlines::Column::Status.eq(DeadlineStatus::Open));
    if let Some(kind) = kind {
        update = update.filter(deadlines::Column::Kind.eq(kind));
    }
    Ok(update.exec(unit.connection()).await?.rows_affected)
}

/// Hands the open deadlines of a subject to another unit and person.
///
/// # Errors
/// When the database does not answer.
pub async fn reassign(
    unit: &UnitOfWork,
    subject: SubjectRef,
    responsible_unit: Option<OrganizationId>,
    responsible_staff: Option<StaffId>,
) -> Result<(), Fault> {
    deadlines::Entity::update_many()
        .col_expr(deadlines::Column::ResponsibleUnitId, Expr::value(responsible_unit))
        .col_expr(deadlines::Column::ResponsibleStaffId, Expr::value(responsible_staff))
        .col_expr(deadlines::Column::AcknowledgedOn, Expr::value(Option::<NaiveDate>::None))
        .col_expr(deadlines::Column::DisputedOn, Expr::value(Option::<NaiveDate>::None))
        .col_expr(deadlines::Column::DisputedBy, Expr::value(Option::<uuid::Uuid>::None))
        .col_expr(deadlines::Column::DisputeReason, Expr::value(Option::<String>::None))
        .filter(deadlines::Column::SubjectId.eq(subject.id).and(deadlines::Column::Status.eq(DeadlineStatus::Open)))
        .exec(unit.connection())
        .await?;
    Ok(())
}

/// Lets the suspended deadlines of a subject run again, each moved by the days it stood still. Who knew of the date before does not
/// know of the one it moved to.
///
/// # Errors
/// When the database does not answer.
pub async fn resume(unit: &UnitOfWork, subject: SubjectRef) -> Result<(), Fault> {
    let suspended = deadlines::Entity::find()
        .filter(deadlines::Column::SubjectId.eq(subject.id))
        .filter(deadlines::Column::Status.eq(DeadlineStatus::Suspended))
        .all(unit.connection())
        .await?;
    for deadline in suspended {
        let stood_still = deadline.ended_on.map_or(chrono::TimeDelta::zero(), |since| unit.today() - since);
        let due_on = deadline.due_on.map(|date| date + stood_still);
        let line = format!("{}；挂账{}天，期限顺延", deadline.explanation, stood_still.num_days());
        let acknowledged_on = deadline.acknowledged_on.filter(|_| due_on == deadline.due_on);
        deadlines::Entity::update_many()
            .col_expr(deadlines::Column::Status, Expr::value(DeadlineStatus::Open))
            .col_expr(deadlines::Column::EndedOn, Expr::value(Option::<NaiveDate>::None))
            .col_expr(deadlines::Column::DueOn, Expr::value(due_on))
            .col_expr(deadlines::Column::AcknowledgedOn, Expr::value(acknowledged_on))
            .col_expr(deadlines::Column::Explanation, Expr::value(line))
            .filter(deadlines::Column::Id.eq(deadline.id))
            .exec(unit.connection())
            .await?;
    }
    Ok(())
}

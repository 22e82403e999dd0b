//! What somebody answers to a reminder, in a chat or on the desk: I know; not mine; I need more time. Each changes the item
//! itself, through the same rules as everything else.

use chrono::NaiveDate;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::json;

use crate::{
    audit::AuditEntry,
    campaigns::{self, entity::duties},
    complaints::{self, entity::complaints as complaint_rows},
    deadlines::{DeadlineStatus, entity::deadlines},
    ids::{ComplaintId, CountyId, DeadlineId, DutyId, RectificationId, StaffId},
    objections,
    outbox::{Notice, Recipient},
    people::{
        Actor,
        authorization::{Action, Subject, may},
    },
    rectification::{self, entity::rectifications},
    refusal::{Fault, FieldFault, Refusal, RefusalKind},
    storage::{Command, Done, Outcome, Store, UnitOfWork},
    subject::{SubjectKind, SubjectRef},
};

/// Longest reason, in characters.
const LONGEST_REASON: usize = 500;

fn about(deadline: &deadlines::Model) -> SubjectRef {
    SubjectRef { kind: deadline.subject_kind, id: deadline.subject_id }
}

/// Whoever may do the work may answer for it.
async fn check(connection: &impl ConnectionTrait, actor: &Actor, deadline: &deadlines::Model) -> Result<(), Fault> {
    let (action, subject) = subject_of(connection, deadline).await?;
    Ok(may(actor, action, &subject)?)
}

/// What decides who may do what with the thing that has this date, and what doing its work is.
pub(crate) async fn subject_of(
    connection: &impl ConnectionTrait,
    deadline: &deadlines::Model,
) -> Result<(Action, Subject), Fault> {
    let (action, subject): (Action, Option<Subject>) = match deadline.subject_kind {
        SubjectKind::Complaint => {
            let id = ComplaintId(deadline.subject_id);
            let row = complaint_rows::Entity::find_by_id(id).one(connection).await?;
            let subject = match row {
                Some(row) => Some(complaints::queries::subject_of(connection, &row).await?),
                None => None,
            };
            (Action::HandleComplaint, subject)
        }
        SubjectKind::Rectification => {
            let id = RectificationId(deadline.subject_id);
            let row = rectifications::Entity::find_by_id(id).one(connection).await?;
            let subject = match row {
                Some(row) => Some(rectification::queries::subject_of(connection, &row).await?),
                None => None,
            };
            (Action::WorkOnRectification, subject)
        }
        SubjectKind::Duty => {
            let row = duties::Entity::find_by_id(DutyId(deadline.subject_id)).one(connection).await?;
            let subject = match row {
                Some(row) => Some(campaigns::queries::subject_of(connection, &row).await?),
                None => None,
            };
            (Action::CompleteDuty, subject)
        }
        _ => return Err(Refusal::not_found().into()),
    };
    Ok((action, subject.ok_or_else(Refusal::not_found)?))
}

/// Whether somebody may answer for this date.
///
/// # Errors
/// When the database does not answer.
pub async fn may_answer(store: &Store, actor: &Actor, id: DeadlineId) -> Result<bool, Fault> {
    let Some(deadline) = deadlines::Entity::find_by_id(id).one(store.reader()).await? else { return Ok(false) };
    match check(store.reader(), actor, &deadline).await {
        Ok(()) => Ok(true),
        Err(Fault::Refused(_)) => Ok(false),
        Err(fault) => Err(fault),
    }
}

async fn hold(unit: &UnitOfWork, actor: &Actor, id: DeadlineId) -> Result<deadlines::Model, Fault> {
    let deadline = unit.locked::<deadlines::Entity>(id).await?;
    check(unit.connection(), actor, &deadline).await?;
    if deadline.status != DeadlineStatus::Open {
        let sentence = "这件事已经办完或不再计算期限，不用回复了。";
        return Err(Refusal::new(RefusalKind::Conflict, "no_open_deadline", sentence).into());
    }
    Ok(deadline)
}

/// The refusal of who answers for a date that is another one by now.
pub const DEADLINE_MOVED: &str = "deadline_moved";

/// Somebody knows of the date: nothing reminds him ahead of it any more, only on the day and after it. A moved date has to be
/// acknowledged anew; `told` is the date that he was shown, where a message may be older than the date is. Said twice it is said
/// once.
///
/// # Errors
/// `not_found`, `forbidden`; `no_open_deadline`; [`DEADLINE_MOVED`].
pub async fn known(
    store: &Store,
    command: &Command,
    county: CountyId,
    id: DeadlineId,
    told: Option<NaiveDate>,
) -> Result<Outcome<()>, Fault> {
    let actor = command.actor.clone();
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                let deadline = hold(unit, &actor, id).await?;
                if told.is_some() && told != deadline.due_on {
                    let sentence = "这件事的期限已经调整，请先看新的期限。";
                    return Err(Refusal::new(RefusalKind::Conflict, DEADLINE_MOVED, sentence).into());
                }
                unit.later(
                    &deadlines::Entity::update_many()
                        .col_expr(deadlines::Column::AcknowledgedOn, Expr::value(unit.today()))
                        .col_expr(deadlines::Column::AcknowledgedBy, Expr::value(actor.staff().map(|staff| staff.id.0)))
                        .filter(deadlines::Column::Id.eq(id)),
                );
                Ok(Done::new((), AuditEntry::new("deadline_acknowledged", about(&deadline))))
            })
        })
        .await
}

/// Somebody says that it is not his. A complaint goes back to the office, once; of anything else the office is told, and
/// decides ([`crate::objections`]). Until then it stands with the date, for everybody who sees it on his desk.
///
/// # Errors
/// `not_found`, `forbidden`; `no_open_deadline`; what the state of a complaint does not allow; a reason that is missing.
pub async fn not_mine(
    store: &Store,
    command: &Command,
    county: CountyId,
    id: DeadlineId,
    why: &str,
) -> Result<Outcome<()>, Fault> {
    let why = why.trim().to_owned();
    if why.is_empty() || why.chars().count() > LONGEST_REASON {
        let sentence = format!("请写明理由，最多{LONGEST_REASON}个字。");
        return Err(Refusal::invalid(vec![FieldFault::new("/reason", sentence)]).into());
    }
    let seen = deadlines::Entity::find_by_id(id).one(store.reader()).await?.ok_or_else(Refusal::not_found)?;
    if seen.subject_kind == SubjectKind::Complaint {
        return complaints::service::return_back(store, command, county, ComplaintId(seen.subject_id), &why).await;
    }
    let actor = command.actor.clone();
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                let deadline = hold(unit, &actor, id).await?;
                let notices = tell_the_office(unit, &actor, &deadline, &why).await?;
                unit.later(
                    &deadlines::Entity::update_many()
                        .col_expr(deadlines::Column::DisputedOn, Expr::value(unit.today()))
                        .col_expr(deadlines::Column::DisputedBy, Expr::value(actor.staff().map(|staff| staff.id.0)))
                        .col_expr(deadlines::Column::DisputeReason, Expr::value(why.as_str()))
                        .filter(deadlines::Column::Id.eq(id)),
                );
                let said = AuditEntry::new("assignment_disputed", about(&deadline)).changing(&(), &why);
                Ok(Done::new((), said).telling(notices))
            })
        })
        .await
}

/// Those who decide about it.
async fn tell_the_office(
    unit: &UnitOfWork,
    actor: &Actor,
    deadline: &deadlines::Model,
    why: &str,
) -> Result<Vec<Notice>, Fault> {
    let Some(township) = deadline.township_id else { return Ok(Vec::new()) };
    let (_, subject) = subject_of(unit.connection(), deadline).await?;
    let objector = actor.staff().map(|staff| staff.id);
    let told = objections::deciders(unit.connection(), deadline, &subject, objector, unit.today()).await?;
    let facts = json!({"title": deadline.subject_title, "due_on": deadline.due_on, "reason": why});
    let notice = |staff: StaffId| {
        Notice::new(Recipient::Staff(staff), "assignment_disputed", about(deadline))
            .step(format!("{}:{}", deadline.kind, unit.today()))
            .round(deadline.round)
            .township(township)
            .facts(facts.clone())
    };
    Ok(told.into_iter().map(notice).collect())
}

/// Somebody needs more time: a request like any other, which a superior decides on.
///
/// # Errors
/// As requests for more time; `duty_dates_are_fixed` for what a campaign's plan asks for.
pub async fn more_time(
    store: &Store,
    command: &Command,
    county: CountyId,
    id: DeadlineId,
    new_due_on: NaiveDate,
    reason: &str,
) -> Result<(), Fault> {
    let deadline = deadlines::Entity::find_by_id(id).one(store.reader()).await?.ok_or_else(Refusal::not_found)?;
    match deadline.subject_kind {
        SubjectKind::Complaint => {
            let id = ComplaintId(deadline.subject_id);
            complaints::service::request_extension(store, command, county, id, new_due_on, reason).await?;
        }
        SubjectKind::Rectification => {
            let id = RectificationId(deadline.subject_id);
            // That a word is no name is said in the app: a card has no place for it.
            let no_names = Vec::new();
            rectification::service::request_extension(store, command, county, id, new_due_on, reason, no_names).await?;
        }
        _ => {
            check(store.reader(), &command.actor, &deadline).await?;
            let sentence = "这项任务的期限由方案规定，不能申请延期；有困难请联系镇专项行动办。";
            return Err(Refusal::new(RefusalKind::Conflict, "duty_dates_are_fixed", sentence).into());
        }
    }
    Ok(())
}

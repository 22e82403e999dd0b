//! Extensions of deadlines (3.3; 信访工作条例 art. 34): a reason, a superior's decision, a ledger that stays public.
//! The part whose deadline it is calls these inside its own command, so that it can tell the people concerned.

use chrono::NaiveDate;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::Expr};
use uuid::Uuid;

use super::{
    DeadlineStatus, ExtensionStatus,
    entity::{changes, deadlines, extensions},
};
use crate::{
    ids::{EntryId, ExtensionId, StaffId},
    people::Staff,
    refusal::{Fault, FieldFault, Refusal, RefusalKind},
    storage::{Store, UnitOfWork},
    subject::SubjectRef,
};

/// Longest reason, in characters.
pub const LONGEST_REASON: usize = 500;

/// How far deadlines of one kind may be moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtensionLimits {
    /// How often; none = no bound.
    pub most: Option<u32>,
    /// By how many calendar days past the date in force; none = no bound.
    pub longest_days: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExtensionRefusal {
    #[error("there is no open deadline of this kind")]
    NoOpenDeadline,
    #[error("the date is unknown until the calendar is published")]
    DateUnknown,
    #[error("another request waits for its decision")]
    AlreadyRequested,
    #[error("the new date is not after the old one")]
    NotLater,
    #[error("the deadline was extended as often as the rule allows")]
    NoMoreExtensions,
    #[error("longer than the rule allows: {0} days")]
    TooLong(u32),
    #[error("the reason is missing or too long")]
    BadReason,
    #[error("the request was decided already")]
    AlreadyDecided,
    #[error("nobody decides on his own request")]
    OwnRequest,
}

impl From<ExtensionRefusal> for Refusal {
    fn from(refusal: ExtensionRefusal) -> Self {
        use ExtensionRefusal as R;
        let conflict = |code, sentence: &str| Self::new(RefusalKind::Conflict, code, sentence);
        let field = |pointer, sentence: String| Self::invalid(vec![FieldFault::new(pointer, sentence)]);
        match refusal {
            R::NoOpenDeadline => conflict("no_open_deadline", "这件事现在没有正在计算的期限。"),
            R::DateUnknown => conflict("deadline_unknown", "该年度的工作日历还没有公布，期限尚未确定，不能延期。"),
            R::AlreadyRequested => conflict("extension_pending", "已有一份延期申请正在等待审批。"),
            R::NotLater => field("/new_due_on", "新的期限要晚于现在的期限。".into()),
            R::NoMoreExtensions => conflict("extension_used_up", "按规定不能再延期了。"),
            R::TooLong(days) => field("/new_due_on", format!("按规定最多延长{days}天。")),
            R::BadReason => field("/reason", format!("请写明理由，最多{LONGEST_REASON}个字。")),
            R::AlreadyDecided => conflict("extension_decided", "这份申请已经有了决定。"),
            R::OwnRequest => Self::new(RefusalKind::Forbidden, "own_request", "不能审批自己提出的申请，请由上级审批。"),
        }
    }
}

/// Whether the deadline may be moved to this date.
///
/// # Errors
/// The rule that stands against it.
pub fn may_extend(
    deadline: &deadlines::Model,
    new_due_on: NaiveDate,
    limits: ExtensionLimits,
) -> Result<(), ExtensionRefusal> {
    let due_on = deadline.due_on.ok_or(ExtensionRefusal::DateUnknown)?;
    if deadline.status != DeadlineStatus::Open {
        return Err(ExtensionRefusal::NoOpenDeadline);
    }
    if new_due_on <= due_on {
        return Err(ExtensionRefusal::NotLater);
    }
    if limits.most.is_some_and(|most| deadline.extensions >= i32::try_from(most).unwrap_or(i32::MAX)) {
        return Err(ExtensionRefusal::NoMoreExtensions);
    }
    match limits.longest_days {
        Some(days) if (new_due_on - due_on).num_days() > i64::from(days) => Err(ExtensionRefusal::TooLong(days)),
        _ => Ok(()),
    }
}

fn checked_reason(reason: &str) -> Result<String, ExtensionRefusal> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > LONGEST_REASON {
        return Err(ExtensionRefusal::BadReason);
    }
    Ok(reason.to_owned())
}

/// Asks for a later date of the subject's open deadline of this kind.
///
/// # Errors
/// [`ExtensionRefusal`]; a fault of the database.
pub async fn request(
    unit: &UnitOfWork,
    subject: SubjectRef,
    kind: &str,
    by: &Staff,
    new_due_on: NaiveDate,
    reason: &str,
    limits: ExtensionLimits,
) -> Result<extensions::Model, Fault> {
    let reason = checked_reason(reason).map_err(Fault::refused)?;
    let deadline = deadlines::Entity::find()
        .filter(deadlines::Column::SubjectId.eq(subject.id))
        .filter(deadlines::Column::Kind.eq(kind))
        .filter(deadlines::Column::Status.eq(DeadlineStatus::Open))
        .lock_exclusive()
        .one(unit.connection())
        .await?
        .ok_or_else(|| Fault::refused(ExtensionRefusal::NoOpenDeadline))?;
    may_extend(&deadline, new_due_on, limits).map_err(Fault::refused)?;
    let pending = extensions::Entity::find()
        .filter(extensions::Column::DeadlineId.eq(deadline.id))
        .filter(extensions::Column::Status.eq(ExtensionStatus::Requested))
        .one(unit.connection())
        .await?;
    if pending.is_some() {
        return Err(Fault::refused(ExtensionRefusal::AlreadyRequested));
    }
    let row = extensions::Model {
        id: ExtensionId::new(unit.randomness(), unit.now()),
        county_id: deadline.county_id,
        deadline_id: deadline.id,
        subject_kind: subject.kind,
        subject_id: subject.id,
        requested_by: by.id,
        requested_in_post: by.posts.first().map(|post| post.id),
        reason,
        old_due_on: deadline.due_on,
        new_due_on,
        status: ExtensionStatus::Requested,
        decided_by: None,
        decision_reason: None,
        requested_at: unit.now(),
        decided_at: None,
    };
    extensions::Entity::insert(extensions::ActiveModel::from(row.clone()))
        .exec_without_returning(unit.connection())
        .await?;
    Ok(row)
}

/// Whose deadline a request is about.
///
/// # Errors
/// When there is no such request.
pub async fn subject_id(store: &Store, extension: ExtensionId) -> Result<Uuid, Fault> {
    let asked = extensions::Entity::find_by_id(extension).one(store.reader()).await?.ok_or_else(Refusal::not_found)?;
    Ok(asked.subject_id)
}

/// What a superior says to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Approve,
    Refuse,
}

/// Decides on a request; an approved one moves the deadline and leaves its line in the ledger. Nobody decides on his own
/// request, nor on what he answers for. Returns the request as decided and the deadline as it now stands.
///
/// # Errors
/// [`ExtensionRefusal`]; a fault of the database.
pub async fn decide(
    unit: &UnitOfWork,
    extension: ExtensionId,
    by: StaffId,
    responsible: Option<StaffId>,
    decision: Decision,
    reason: &str,
    limits: ExtensionLimits,
) -> Result<(extensions::Model, deadlines::Model), Fault> {
    let reason = checked_reason(reason).map_err(Fault::refused)?;
    let mut request = extensions::Entity::find_by_id(extension)
        .lock_exclusive()
        .one(unit.connection())
        .await?
        .ok_or_else(Refusal::not_found)?;
    if request.status != ExtensionStatus::Requested {
        return Err(Fault::refused(ExtensionRefusal::AlreadyDecided));
    }
    if request.requested_by == by || responsible == Some(by) {
        return Err(Fault::refused(ExtensionRefusal::OwnRequest));
    }
    let mut deadline = deadlines::Entity::find_by_id(request.deadline_id)
        .lock_exclusive()
        .one(unit.connection())
        .await?
        .ok_or_else(Refusal::not_found)?;
    request.status = match decision {
        Decision::Approve => ExtensionStatus::Approved,
        Decision::Refuse => ExtensionStatus::Refused,
    };
    request.decided_by = Some(by);
    request.decision_reason = Some(reason);
    request.decided_at = Some(unit.now());
    extensions::Entity::update_many()
        .col_expr(extensions::Column::Status, Expr::value(request.status))
        .col_expr(extensions::Column::DecidedBy, Expr::value(by))
        .col_expr(extensions::Column::DecisionReason, Expr::value(request.decision_reason.clone()))
        .col_expr(extensions::Column::DecidedAt, Expr::value(unit.now()))
        .filter(extensions::Column::Id.eq(extension))
        .exec(unit.connection())
        .await?;
    if decision == Decision::Approve {
        // Decided on what stands now, not on what stood when it was asked for.
        may_extend(&deadline, request.new_due_on, limits).map_err(Fault::refused)?;
        deadline = move_to(unit, deadline, &request).await?;
    }
    Ok((request, deadline))
}

async fn move_to(
    unit: &UnitOfWork,
    mut deadline: deadlines::Model,
    request: &extensions::Model,
) -> Result<deadlines::Model, Fault> {
    let line = format!(
        "经批准由{}延期至{}，理由：{}",
        deadline.due_on.map_or_else(|| "未定".into(), |date| date.format("%Y年%-m月%-d日").to_string()),
        request.new_due_on.format("%Y年%-m月%-d日"),
        request.reason,
    );
    changes::Entity::insert(changes::ActiveModel {
        id: Set(EntryId::new(unit.randomness(), unit.now())),
        county_id: Set(deadline.county_id),
        deadline_id: Set(deadline.id),
        old_due_on: Set(deadline.due_on),
        new_due_on: Set(Some(request.new_due_on)),
        cause: Set("extension".into()),
        explanation: Set(line.clone()),
        at: Set(unit.now()),
    })
    .exec_without_returning(unit.connection())
    .await?;
    deadline.due_on = Some(request.new_due_on);
    deadline.extensions += 1;
    deadline.explanation = format!("{}；{line}", deadline.explanation);
    deadlines::Entity::update_many()
        .col_expr(deadlines::Column::DueOn, Expr::value(deadline.due_on))
        .col_expr(deadlines::Column::AcknowledgedOn, Expr::value(Option::<NaiveDate>::None))
        .col_expr(deadlines::Column::Extensions, Expr::value(deadline.extensions))
        .col_expr(deadlines::Column::Explanation, Expr::value(deadline.explanation.clone()))
        .filter(deadlines::Column::Id.eq(deadline.id))
        .exec(unit.connection())
        .await?;
    Ok(deadline)
}

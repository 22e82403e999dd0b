//! Taking posts back. What is not in its group yet is not sent any more, however the attempt ends that is under way; what is in a
//! group cannot be taken back there: a correction is posted, which a second person lets go like any other.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::Expr};
use serde_json::json;

use super::{
    entity as groups, is_the_products_own, prepared,
    reviews::{self, checked_reason},
    tasks,
};
use crate::{
    audit::AuditEntry,
    clock::shanghai_date,
    ids::{CountyId, GroupId, MessageId, StaffId},
    outbox::{
        self, MessageState, Notice, Recipient, RecipientKind,
        entity::{Column, Entity, Model as Message},
    },
    people::{
        authorization::{Action, Subject, may},
        concerns,
        entity::organizations,
    },
    publication::PublicText,
    refusal::{Fault, Refusal, RefusalKind},
    storage::{Command, Done, Outcome, Store, UnitOfWork},
    subject::SubjectRef,
};

const CORRECTION: &str = "post_corrected";
const TAKEN_BACK: &str = "发出之前已撤回";

/// Takes a post back: one that is not in its group yet is not sent any more; one that is there, or may be, is corrected there. Whoever
/// has it for a group that no program writes into is told not to put it there any more; if it is there already, the correction
/// follows when that person, or the platform, says so ([`prepared::confirm`], [`tasks::end`]).
///
/// # Errors
/// `not_found`, also to whom the matter concerns; `post_not_retractable` for what the product itself says; `post_retracted` when it was
/// taken back already; a reason that is missing or says a private number.
pub async fn retract(
    store: &Store,
    command: &Command,
    county: CountyId,
    id: MessageId,
    reason: &str,
) -> Result<Outcome<()>, Fault> {
    let actor = command.actor.clone();
    let reason = PublicText::parse("/reason", &checked_reason(reason)?)?.into_string();
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                let message = unit.locked::<Entity>(id).await?;
                if message.recipient_kind != RecipientKind::Group {
                    return Err(Refusal::not_found().into());
                }
                let group = groups::Entity::find_by_id(GroupId(message.recipient_id)).one(unit.connection()).await?;
                let group = group.ok_or_else(Refusal::not_found)?;
                let about = concerns::of(unit.connection(), subject_of(&message)).await?;
                let subject = Subject {
                    county: Some(group.county_id),
                    township: Some(group.township_id),
                    village: Some(group.village_id),
                    concerns_organizations: about.organizations,
                    concerns_staff: about.staff,
                    ..Subject::default()
                };
                may(&actor, Action::RetractPost, &subject)?;
                let by = actor.staff().map(|staff| staff.id);
                may_be_retracted(&message)?;
                let mut notices = Vec::new();
                if may_be_there(&message) {
                    let correction = correction(unit, by, &group, &message, &reason).await?.ok_or_else(retracted)?;
                    // Never before what it corrects: what becomes of a request is known when the lease ends.
                    let not_before = message.lease_until.filter(|_| message.state == MessageState::Departed);
                    notices.push(Notice { not_before, ..correction });
                }
                if !matches!(message.state, MessageState::Sent | MessageState::Departed) {
                    outbox::set_state(unit, id, MessageState::Withdrawn, Some(TAKEN_BACK)).await?;
                    tasks::withdraw(unit, id, by, &reason).await?;
                    reviews::call_off(unit, id).await?;
                    notices.extend(prepared::recall(unit, &group, id, by, &reason).await?);
                }
                Entity::update_many()
                    .col_expr(Column::RetractedAt, Expr::value(unit.now()))
                    .filter(Column::Id.eq(id))
                    .exec(unit.connection())
                    .await?;
                Ok(Done::new((), AuditEntry::new("post_retracted", id).changing(&(), &reason)).telling(notices))
            })
        })
        .await
}

/// Whether this post may be taken back by those who take posts back.
///
/// # Errors
/// `post_not_retractable` for what the product itself says; `post_retracted` for what was taken back, or never came.
pub fn may_be_retracted(message: &Message) -> Result<(), Fault> {
    if is_the_products_own(&message.kind) {
        let sentence = "背靠背测评的公示由系统按程序发出，谁都不能撤回。";
        return Err(Refusal::new(RefusalKind::Conflict, "post_not_retractable", sentence).into());
    }
    let is_over = message.state == MessageState::Withdrawn && !message.may_have_arrived;
    if is_over || message.retracted_at.is_some() {
        return Err(retracted());
    }
    Ok(())
}

pub(super) fn subject_of(message: &Message) -> SubjectRef {
    SubjectRef { kind: message.subject_kind, id: message.subject_id }
}

/// Whether the post is in its group, or may be or come there without anybody's doing.
fn may_be_there(message: &Message) -> bool {
    message.may_have_arrived
        || matches!(message.state, MessageState::Sent | MessageState::Departed | MessageState::Unknown)
}

pub(crate) fn retracted() -> Fault {
    Refusal::new(RefusalKind::Conflict, "post_retracted", "这条公示已经撤回或更正过了。").into()
}

/// What tells a group that a post in it was wrong; `by` took it back, and is no second person for the correction. None when there
/// is one already; one that was dropped, because the post did not seem to get there, is on its way again.
pub(super) async fn correction(
    unit: &UnitOfWork,
    by: Option<StaffId>,
    group: &groups::Model,
    message: &Message,
    reason: &str,
) -> Result<Option<Notice>, Fault> {
    let known = correction_of(unit, message).await?;
    let is_dropped = |known: &Message| known.state == MessageState::Withdrawn && known.retracted_at.is_none();
    if known.as_ref().is_some_and(|known| !is_dropped(known)) {
        return Ok(None);
    }
    let village = organizations::Entity::find_by_id(group.village_id).one(unit.connection()).await?;
    let posted_on = message.sent_at.unwrap_or(message.created_at);
    let facts = json!({
        "village": village.map(|village| village.name),
        "village_id": group.village_id,
        "title": message.facts.get("title"),
        "posted_on": shanghai_date(posted_on),
        "reason": reason,
        "author": by,
    });
    if let Some(known) = known {
        Entity::update_many()
            .col_expr(Column::Facts, Expr::value(facts))
            .filter(Column::Id.eq(known.id))
            .exec(unit.connection())
            .await?;
        outbox::set_state(unit, known.id, MessageState::Pending, None).await?;
        return Ok(None);
    }
    let notice = Notice::new(Recipient::Group(group.id), CORRECTION, subject_of(message))
        .step(message.id.to_string())
        .round(message.round)
        .township(group.township_id)
        .facts(facts);
    Ok(Some(notice))
}

/// The correction of this post, whatever became of it. Nobody sends it or decides on it before the transaction ends.
async fn correction_of(unit: &UnitOfWork, message: &Message) -> Result<Option<Message>, Fault> {
    Ok(Entity::find()
        .filter(Column::RecipientId.eq(message.recipient_id))
        .filter(Column::Kind.eq(CORRECTION))
        .filter(Column::Step.eq(message.id.to_string()))
        .lock_exclusive()
        .one(unit.connection())
        .await?)
}

/// What a correction tells the group.
pub(super) fn reason(correction: &Message) -> Option<String> {
    correction.facts.get("reason")?.as_str().map(str::to_owned)
}

/// Drops the correction of this post unless it has left, and nobody is asked any more whether it may, nor to tap it. Returns what was
/// dropped.
pub(super) async fn drop_correction(unit: &UnitOfWork, message: &Message) -> Result<Option<Message>, Fault> {
    use MessageState::{HandedOver, Held, Parked, Pending, Sending, Stopped};
    let has_not_left = |correction: &Message| {
        matches!(correction.state, Pending | Sending | Held | Parked | Stopped | HandedOver)
            && !correction.may_have_arrived
    };
    let correction = correction_of(unit, message).await?.filter(has_not_left);
    if let Some(correction) = &correction {
        let reason = "要更正的那条没有发出";
        outbox::set_state(unit, correction.id, MessageState::Withdrawn, Some(reason)).await?;
        tasks::withdraw(unit, correction.id, None, reason).await?;
        reviews::call_off(unit, correction.id).await?;
    }
    Ok(correction)
}

/// How an attempt ended changes nothing about a post that was taken back while the request was on its way: it is not sent again. What
/// the platform did not take is not corrected either. For messages whose attempt has just been settled.
///
/// # Errors
/// When the database does not answer.
pub async fn hold_back(unit: &UnitOfWork, ids: &[MessageId]) -> Result<(), Fault> {
    use MessageState::{Parked, Pending, Stopped, Unknown};
    let settled = Entity::find()
        .filter(Column::Id.is_in(ids.iter().copied()))
        .filter(Column::RetractedAt.is_not_null())
        .filter(Column::State.is_in([Pending, Parked, Stopped, Unknown]))
        .all(unit.connection())
        .await?;
    for message in settled {
        stay_out(unit, &message).await?;
    }
    Ok(())
}

/// A post that was taken back does not come into its group any more. Its correction is dropped, unless the post may be there from
/// an attempt before.
pub(super) async fn stay_out(unit: &UnitOfWork, message: &Message) -> Result<(), Fault> {
    if !message.may_have_arrived {
        drop_correction(unit, message).await?;
    }
    outbox::set_state(unit, message.id, MessageState::Withdrawn, Some(TAKEN_BACK)).await
}

//! Before a post that somebody wrote goes into a group, a second person lets it go (11.2), with what the reading found beside
//! it.

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter,
    sea_query::{Expr, OnConflict},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

pub use super::listing::PAGE;
use super::{
    entity as groups,
    listing::{self, Posts},
    retraction::subject_of,
};
use crate::{
    audit::AuditEntry,
    ids::{CountyId, GroupId, MessageId, StaffId},
    outbox::{self, MessageState, Notice, Recipient, entity as messages},
    people::{
        Actor,
        authorization::{Action, Subject, may},
        concerns,
    },
    publication::Finding,
    refusal::{Fault, FieldFault, Refusal, RefusalKind},
    storage::{Command, Done, Outcome, Store, UnitOfWork},
};

/// Longest reason, in characters.
const LONGEST_REASON: usize = 200;

/// Where a post stands that somebody has to let go.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, sea_orm::EnumIter, sea_orm::DeriveActiveEnum, Serialize, Deserialize, ToSchema,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum ReviewState {
    Waiting,
    Approved,
    Rejected,
}

/// The table; its key is the message that the post carries.
pub mod entity {
    use sea_orm::entity::prelude::*;

    use super::ReviewState;
    use crate::ids::{CountyId, GroupId, MessageId, OrganizationId, StaffId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "post_reviews")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: MessageId,
        pub county_id: CountyId,
        pub township_id: OrganizationId,
        pub village_id: OrganizationId,
        pub group_id: GroupId,
        /// As it will stand in the group.
        pub text: String,
        pub findings: Json,
        /// Who wrote it: somebody else lets it go.
        pub author_staff_id: Option<StaffId>,
        pub state: ReviewState,
        pub decided_by: Option<StaffId>,
        pub reason: Option<String>,
        pub created_at: DateTimeUtc,
        pub decided_at: Option<DateTimeUtc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Who wrote what a message says, as its facts tell.
#[must_use]
pub fn author(message: &messages::Model) -> Option<StaffId> {
    message.facts.get("author")?.as_str()?.parse().ok()
}

/// Keeps a post back until somebody decides. One that the bot `holder` has no more, because it was retracted meanwhile or
/// another bot has it, is left as it is.
///
/// # Errors
/// When the database does not answer.
pub async fn hold(
    unit: &UnitOfWork,
    holder: &str,
    group: &groups::Model,
    message: &messages::Model,
    text: String,
    findings: &[Finding],
    notices: Vec<Notice>,
) -> Result<(), Fault> {
    use entity::Column as C;
    if !outbox::is_held(unit, holder, &[message.id]).await? {
        return Ok(());
    }
    entity::Entity::insert(entity::ActiveModel {
        id: Set(message.id),
        county_id: Set(group.county_id),
        township_id: Set(group.township_id),
        village_id: Set(group.village_id),
        group_id: Set(group.id),
        text: Set(text),
        findings: Set(json!(findings)),
        author_staff_id: Set(author(message)),
        state: Set(ReviewState::Waiting),
        decided_by: Set(None),
        reason: Set(None),
        created_at: Set(unit.now()),
        decided_at: Set(None),
    })
    .on_conflict(
        OnConflict::column(C::Id)
            .update_columns([C::Text, C::Findings, C::State, C::CreatedAt, C::DecidedBy, C::DecidedAt, C::Reason])
            .to_owned(),
    )
    .exec_without_returning(unit.connection())
    .await?;
    outbox::set_state(unit, message.id, MessageState::Held, Some("等第二个人确认后发出")).await?;
    outbox::enqueue(unit, group.county_id, notices).await?;
    Ok(())
}

/// The review of a post; none for one that nobody had to read.
///
/// # Errors
/// When the database does not answer.
pub async fn find(connection: &impl ConnectionTrait, id: MessageId) -> Result<Option<entity::Model>, Fault> {
    Ok(entity::Entity::find_by_id(id).one(connection).await?)
}

impl entity::Model {
    /// Whether somebody let the post go in these words. Words that changed since are read again.
    #[must_use]
    pub fn lets_go(&self, text: &str) -> bool {
        self.state == ReviewState::Approved && self.text == text
    }
}

/// Closes the review of a post that goes out in these words without a second person, because nothing is found in it any more or
/// one person is enough now: nobody is asked about what is in the group already.
///
/// # Errors
/// When the database does not answer.
pub async fn let_through(unit: &UnitOfWork, id: MessageId, text: &str) -> Result<(), Fault> {
    entity::Entity::update_many()
        .col_expr(entity::Column::State, Expr::value(ReviewState::Approved))
        .col_expr(entity::Column::Text, Expr::value(text))
        .col_expr(entity::Column::DecidedAt, Expr::value(unit.now()))
        .filter(entity::Column::Id.eq(id))
        .filter(entity::Column::State.eq(ReviewState::Waiting))
        .exec(unit.connection())
        .await?;
    Ok(())
}

/// Nobody is asked any more whether the post may go out: it does not.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn call_off(unit: &UnitOfWork, id: MessageId) -> Result<(), Fault> {
    entity::Entity::update_many()
        .col_expr(entity::Column::State, Expr::value(ReviewState::Rejected))
        .filter(entity::Column::Id.eq(id))
        .filter(entity::Column::State.eq(ReviewState::Waiting))
        .exec(unit.connection())
        .await?;
    Ok(())
}

impl Posts for entity::Entity {
    const ID: entity::Column = entity::Column::Id;
    const TOWNSHIP: entity::Column = entity::Column::TownshipId;
    const VILLAGE: entity::Column = entity::Column::VillageId;
    const STATE: entity::Column = entity::Column::State;
    const HANDLER: Option<entity::Column> = None;

    fn group(review: &entity::Model) -> GroupId {
        review.group_id
    }

    fn subject_id() -> Option<Expr> {
        Some(Expr::cust("(SELECT subject_id FROM outbox_messages WHERE outbox_messages.id = post_reviews.id)"))
    }
}

/// A review with the name of its group.
#[derive(Clone, Debug)]
pub struct Reviewed {
    pub review: entity::Model,
    pub group: String,
}

/// The posts that the actor may let go, latest first; `before` is the last one of the page before.
///
/// # Errors
/// `forbidden` for those who decide on none; when the database does not answer.
pub async fn list(
    store: &Store,
    actor: &Actor,
    state: Option<ReviewState>,
    before: Option<MessageId>,
) -> Result<Vec<Reviewed>, Fault> {
    let state = state.map(sea_orm::Value::from);
    let reviews = listing::page::<entity::Entity>(store, actor, Action::ReviewPost, state, before).await?;
    Ok(reviews.into_iter().map(|(review, group)| Reviewed { review, group }).collect())
}

/// What a second person says to a post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    LetGo,
    Reject { reason: String },
}

pub(super) fn checked_reason(reason: &str) -> Result<String, Refusal> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > LONGEST_REASON {
        let sentence = format!("请写明理由，最多{LONGEST_REASON}个字。");
        return Err(Refusal::invalid(vec![FieldFault::new("/reason", sentence)]));
    }
    Ok(reason.to_owned())
}

/// A second person lets a post go, or keeps it back for good; its author is told why.
///
/// # Errors
/// `own_post` to its author; `post_not_allowed` where something was found that nobody can let go; `post_decided`.
pub async fn decide(
    store: &Store,
    command: &Command,
    county: CountyId,
    id: MessageId,
    verdict: Verdict,
) -> Result<Outcome<()>, Fault> {
    let actor = command.actor.clone();
    let reason = match &verdict {
        Verdict::LetGo => None,
        Verdict::Reject { reason } => Some(checked_reason(reason)?),
    };
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                // The message first, like a retraction does: neither waits for the other.
                let message = unit.locked::<messages::Entity>(id).await?;
                let review = unit.locked::<entity::Entity>(id).await?;
                let about = concerns::of(unit.connection(), subject_of(&message)).await?;
                let subject = Subject {
                    concerns_organizations: about.organizations,
                    concerns_staff: about.staff,
                    ..subject(&review)
                };
                may(&actor, Action::ReviewPost, &subject)?;
                if review.state != ReviewState::Waiting || !waits_for_a_second_person(message.state) {
                    let sentence = "这条公示已经有人确认或退回了。";
                    return Err(Refusal::new(RefusalKind::Conflict, "post_decided", sentence).into());
                }
                let by = actor.staff().map(|staff| staff.id);
                if verdict == Verdict::LetGo {
                    may_let_go(&review, by)?;
                }
                let (state, act) = match verdict {
                    Verdict::LetGo => (ReviewState::Approved, "post_approved"),
                    Verdict::Reject { .. } => (ReviewState::Rejected, "post_rejected"),
                };
                entity::Entity::update_many()
                    .col_expr(entity::Column::State, Expr::value(state))
                    .col_expr(entity::Column::DecidedBy, Expr::value(by.map(|staff| staff.0)))
                    .col_expr(entity::Column::DecidedAt, Expr::value(unit.now()))
                    .col_expr(entity::Column::Reason, Expr::value(reason.clone()))
                    .filter(entity::Column::Id.eq(id))
                    .exec(unit.connection())
                    .await?;
                let mut notices = Vec::new();
                if state == ReviewState::Approved {
                    outbox::set_state(unit, id, MessageState::Pending, None).await?;
                } else {
                    outbox::set_state(unit, id, MessageState::Withdrawn, Some("第二个人没有同意发出")).await?;
                    let group = groups::Entity::find_by_id(review.group_id).one(unit.connection()).await?;
                    let title = group.map(|group| group.name).unwrap_or_default();
                    notices.extend(review.author_staff_id.map(|author| {
                        Notice::new(Recipient::Staff(author), "post_rejected", review.group_id)
                            .step(id.to_string())
                            .township(review.township_id)
                            .facts(json!({"title": title, "reason": reason}))
                    }));
                }
                Ok(Done::new((), AuditEntry::new(act, id).changing(&(), &review.text)).telling(notices))
            })
        })
        .await
}

/// What has left, or is leaving, nobody lets go any more: it would be posted twice. One that was given up and is sent again by the
/// office is pending until a bot gets to it.
fn waits_for_a_second_person(state: MessageState) -> bool {
    matches!(state, MessageState::Held | MessageState::Parked | MessageState::Pending)
}

fn subject(review: &entity::Model) -> Subject {
    Subject {
        county: Some(review.county_id),
        township: Some(review.township_id),
        village: Some(review.village_id),
        ..Subject::default()
    }
}

/// Two pairs of eyes: nobody lets go what he wrote himself. What the product made, or a command line lets go, has no such pair.
#[must_use]
pub fn is_second_person(author: Option<StaffId>, by: Option<StaffId>) -> bool {
    by.is_none() || by != author
}

/// Two pairs of eyes, and nothing in the text that may never be published.
fn may_let_go(review: &entity::Model, by: Option<StaffId>) -> Result<(), Fault> {
    if !is_second_person(review.author_staff_id, by) {
        let sentence = "自己写的公示要由另一个人确认。";
        return Err(Refusal::new(RefusalKind::Forbidden, "own_post", sentence).into());
    }
    let findings: Vec<Finding> = serde_json::from_value(review.findings.clone()).map_err(Fault::unavailable)?;
    if let Some(finding) = findings.iter().find(|finding| finding.kind.forbids()) {
        let sentence = format!("这段文字不能发到群里：{}。请退回，修改后重发。", finding.kind.sentence());
        return Err(Refusal::new(RefusalKind::Conflict, "post_not_allowed", sentence).into());
    }
    Ok(())
}

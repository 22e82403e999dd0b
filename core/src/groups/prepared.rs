//! Prepared posts: ordinary chat groups are closed to programs, so a post is prepared, a person puts it into the group with
//! a few taps and confirms that. The confirmation is the delivery.

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, OnConflict},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

pub use super::listing::PAGE;
use super::{
    entity as groups,
    listing::{self, Posts},
    retraction,
};
use crate::{
    audit::AuditEntry,
    ids::{CountyId, GroupId, MessageId, StaffId},
    outbox::{self, MessageState, Notice, Recipient},
    people::{
        Actor, Staff,
        authorization::{Action, Subject, may},
        staff_in,
    },
    refusal::{Fault, Refusal, RefusalKind},
    storage::{Command, Done, Outcome, Store, UnitOfWork},
};

/// Where a prepared post stands.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, sea_orm::EnumIter, sea_orm::DeriveActiveEnum, Serialize, Deserialize, ToSchema,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum PreparedState {
    /// Waits for somebody to put it into the group.
    Prepared,
    /// Somebody says that it is in the group.
    Posted,
    /// Nobody did for so long that it is not worth it any more.
    Expired,
    /// Taken back before anybody said that it is in the group. Whoever put it there all the same says so, and a correction follows.
    Retracted,
}

/// The table; its key is the message that the post carries.
pub mod entity {
    use sea_orm::entity::prelude::*;

    use super::PreparedState;
    use crate::ids::{CountyId, GroupId, MessageId, OrganizationId, StaffId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "prepared_posts")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: MessageId,
        pub county_id: CountyId,
        pub township_id: OrganizationId,
        pub village_id: OrganizationId,
        pub group_id: GroupId,
        /// Who is to put it into the group.
        pub keeper_staff_id: StaffId,
        /// To be copied as it stands.
        pub text: String,
        /// Opens the matter in the mini-program, or in the browser.
        pub link: String,
        /// The mini-program's code for the same.
        pub picture: Option<Vec<u8>>,
        pub state: PreparedState,
        pub prepared_at: DateTimeUtc,
        pub posted_by: Option<StaffId>,
        pub posted_at: Option<DateTimeUtc>,
        pub retracted_by: Option<StaffId>,
        /// To be told to the group, should the post be there.
        pub retraction_reason: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A post to be put into a group by hand.
#[derive(Clone, Debug)]
pub struct NewPost {
    pub message: MessageId,
    pub keeper: StaffId,
    pub text: String,
    pub link: String,
    pub picture: Option<Vec<u8>>,
}

/// Writes the post down and hands its message over to a person. One that was given up and is sent again begins anew. False
/// for one that the bot `holder` has no more, because it was retracted meanwhile or another bot has it.
///
/// # Errors
/// When the database does not answer.
pub async fn prepare(unit: &UnitOfWork, holder: &str, group: &groups::Model, new: NewPost) -> Result<bool, Fault> {
    use entity::Column as C;
    let message = new.message;
    if !outbox::is_held(unit, holder, &[message]).await? {
        return Ok(false);
    }
    entity::Entity::insert(entity::ActiveModel {
        id: Set(message),
        county_id: Set(group.county_id),
        township_id: Set(group.township_id),
        village_id: Set(group.village_id),
        group_id: Set(group.id),
        keeper_staff_id: Set(new.keeper),
        text: Set(new.text),
        link: Set(new.link),
        picture: Set(new.picture),
        state: Set(PreparedState::Prepared),
        prepared_at: Set(unit.now()),
        posted_by: Set(None),
        posted_at: Set(None),
        retracted_by: Set(None),
        retraction_reason: Set(None),
    })
    .on_conflict(
        OnConflict::column(C::Id)
            .update_columns([C::KeeperStaffId, C::Text, C::Link, C::Picture, C::State, C::PreparedAt])
            .to_owned(),
    )
    .exec_without_returning(unit.connection())
    .await?;
    outbox::set_state(unit, message, MessageState::HandedOver, None).await?;
    Ok(true)
}

/// Marks a post that is taken back while a person has it: its card and the text that was copied are on a phone already. Returns
/// what to tell that person; none when there is no such post, or it is in the group.
pub(super) async fn recall(
    unit: &UnitOfWork,
    group: &groups::Model,
    id: MessageId,
    by: Option<StaffId>,
    reason: &str,
) -> Result<Option<Notice>, Fault> {
    let post = entity::Entity::find_by_id(id).lock_exclusive().one(unit.connection()).await?;
    let Some(post) = post.filter(|post| post.state != PreparedState::Posted) else { return Ok(None) };
    entity::Entity::update_many()
        .col_expr(entity::Column::State, Expr::value(PreparedState::Retracted))
        .col_expr(entity::Column::RetractedBy, Expr::value(by.map(|staff| staff.0)))
        .col_expr(entity::Column::RetractionReason, Expr::value(reason))
        .filter(entity::Column::Id.eq(id))
        .exec(unit.connection())
        .await?;
    let notice = Notice::new(Recipient::Staff(post.keeper_staff_id), "post_recalled", group.id)
        .step(id.to_string())
        .township(group.township_id)
        .facts(json!({"title": group.name, "post_id": id}));
    Ok(Some(notice))
}

/// Gives up on posts that nobody put into their group: their messages are shown to the office as undelivered.
///
/// # Errors
/// When the database does not answer.
pub async fn expire(unit: &UnitOfWork, id: MessageId) -> Result<(), Fault> {
    let given_up = entity::Entity::update_many()
        .col_expr(entity::Column::State, Expr::value(PreparedState::Expired))
        .filter(entity::Column::Id.eq(id))
        .filter(entity::Column::State.eq(PreparedState::Prepared))
        .exec(unit.connection())
        .await?;
    // Somebody may have confirmed it just now.
    if given_up.rows_affected == 0 {
        return Ok(());
    }
    outbox::set_state(unit, id, MessageState::Parked, Some("一直没有人把它转发到群里")).await
}

impl Posts for entity::Entity {
    const ID: entity::Column = entity::Column::Id;
    const TOWNSHIP: entity::Column = entity::Column::TownshipId;
    const VILLAGE: entity::Column = entity::Column::VillageId;
    const STATE: entity::Column = entity::Column::State;
    const HANDLER: Option<entity::Column> = Some(entity::Column::KeeperStaffId);

    fn group(post: &entity::Model) -> GroupId {
        post.group_id
    }
}

/// A prepared post with the name of its group.
#[derive(Clone, Debug)]
pub struct Prepared {
    pub post: entity::Model,
    pub group: String,
}

/// The posts that the actor may put into groups, latest first; `before` is the last one of the page before.
///
/// # Errors
/// `forbidden` for those who forward nothing; when the database does not answer.
pub async fn list(
    store: &Store,
    actor: &Actor,
    state: Option<PreparedState>,
    before: Option<MessageId>,
) -> Result<Vec<Prepared>, Fault> {
    let state = state.map(sea_orm::Value::from);
    let posts = listing::page::<entity::Entity>(store, actor, Action::ForwardPost, state, before).await?;
    Ok(posts.into_iter().map(|(post, group)| Prepared { post, group }).collect())
}

/// One prepared post.
///
/// # Errors
/// `not_found` out of the actor's reach, `forbidden` for those who forward nothing.
pub async fn detail(store: &Store, actor: &Actor, id: MessageId) -> Result<Prepared, Fault> {
    let post = entity::Entity::find_by_id(id).one(store.reader()).await?.ok_or_else(Refusal::not_found)?;
    may(actor, Action::ForwardPost, &subject(&post))?;
    let group = groups::Entity::find_by_id(post.group_id).one(store.reader()).await?;
    Ok(Prepared { group: group.map(|group| group.name).unwrap_or_default(), post })
}

fn subject(post: &entity::Model) -> Subject {
    Subject {
        county: Some(post.county_id),
        township: Some(post.township_id),
        village: Some(post.village_id),
        handler: Some(post.keeper_staff_id),
        ..Subject::default()
    }
}

/// Whether this person may put posts into a group and say so.
#[must_use]
pub fn may_forward(staff: &Staff, group: &groups::Model) -> bool {
    let subject = Subject {
        county: Some(group.county_id),
        township: Some(group.township_id),
        village: Some(group.village_id),
        handler: Some(staff.id),
        ..Subject::default()
    };
    may(&Actor::Staff(staff.clone()), Action::ForwardPost, &subject).is_ok()
}

/// Names who puts prepared posts into a group from now on; what was prepared already stays with whoever was told.
///
/// # Errors
/// `not_found` for a group or a member of staff that is not the county's; `keeper_may_not_forward` for one whose posts do not
/// let him.
pub async fn name_keeper(
    store: &Store,
    command: &Command,
    county: CountyId,
    group: GroupId,
    keeper: StaffId,
) -> Result<Outcome<()>, Fault> {
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                let known = groups::Entity::find_by_id(group).one(unit.connection()).await?;
                let known = known.filter(|group| group.county_id == county).ok_or_else(Refusal::not_found)?;
                let person = staff_in(unit.connection(), keeper, unit.today()).await?;
                let person = person.filter(|person| person.county == county).ok_or_else(Refusal::not_found)?;
                if !may_forward(&person, &known) {
                    let sentence = "这个人的职务不管这个村的群，不能负责转发。";
                    return Err(Refusal::new(RefusalKind::Conflict, "keeper_may_not_forward", sentence).into());
                }
                unit.later(
                    &groups::Entity::update_many()
                        .col_expr(groups::Column::KeeperStaffId, Expr::value(keeper))
                        .filter(groups::Column::Id.eq(group)),
                );
                let named = AuditEntry::new("group_keeper_named", group);
                Ok(Done::new((), named.changing(&known.keeper_staff_id, &keeper)))
            })
        })
        .await
}

/// Says that the post is in the group. One that was taken back meanwhile is corrected there.
///
/// # Errors
/// As [`detail`]; `post_already_confirmed` when somebody said so before.
pub async fn confirm(store: &Store, command: &Command, county: CountyId, id: MessageId) -> Result<Outcome<()>, Fault> {
    let actor = command.actor.clone();
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                // The message first, like a retraction does: neither waits for the other.
                let message = outbox::entity::Entity::find_by_id(id).lock_exclusive().one(unit.connection()).await?;
                let post = unit.locked::<entity::Entity>(id).await?;
                may(&actor, Action::ForwardPost, &subject(&post))?;
                if post.state == PreparedState::Posted {
                    let sentence = "这条公示已经确认转发过了。";
                    return Err(Refusal::new(RefusalKind::Conflict, "post_already_confirmed", sentence).into());
                }
                let by = match &actor {
                    Actor::Staff(staff) => Some(staff.id),
                    _ => None,
                };
                entity::Entity::update_many()
                    .col_expr(entity::Column::State, Expr::value(PreparedState::Posted))
                    .col_expr(entity::Column::PostedBy, Expr::value(by.map(|staff| staff.0)))
                    .col_expr(entity::Column::PostedAt, Expr::value(unit.now()))
                    .filter(entity::Column::Id.eq(id))
                    .exec(unit.connection())
                    .await?;
                outbox::set_state(unit, id, MessageState::Sent, None).await?;
                let mut notices = Vec::new();
                if let (Some(message), Some(reason)) = (message, &post.retraction_reason) {
                    let group = groups::Entity::find_by_id(post.group_id).one(unit.connection()).await?;
                    let group = group.ok_or_else(Refusal::not_found)?;
                    let message = outbox::entity::Model { sent_at: Some(unit.now()), ..message };
                    notices.extend(retraction::correction(unit, post.retracted_by, &group, &message, reason).await?);
                }
                Ok(Done::new((), AuditEntry::new("post_confirmed", post.group_id)).telling(notices))
            })
        })
        .await
}

//! Posts into groups with outside WeChat users. WeCom only makes a task of one; it is in the group once the person who looks
//! after the group has tapped it. So we ask the platform what became of it, remind that person, and in the end stop the task:
//! one that could still be tapped must not be sent again. Nor is it forgotten when its post was retracted: what gets into the group
//! all the same is corrected there.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, LockBehavior, LockType, OnConflict},
};
use serde_json::json;

use super::{entity as groups, retraction, reviews};
use crate::{
    clock::shanghai_date,
    ids::{MessageId, StaffId},
    outbox::{self, MessageState, Notice, Recipient, entity as messages},
    refusal::Fault,
    storage::{Store, UnitOfWork},
};

/// The platform says nothing of a task while it is being handed to the member.
const WHILE_DISPATCHING: TimeDelta = TimeDelta::minutes(2);
/// Who does not tap is reminded after so many hours: never more than the three a day that the platform thinks bearable.
const REMINDED_AFTER_HOURS: [i64; 3] = [72, 24, 3];
/// What nobody tapped for so long is not worth posting any more.
const GIVEN_UP_AFTER: TimeDelta = TimeDelta::days(7);
/// A retracted post whose task cannot be stopped is looked at for so long: nobody taps it any more.
const FORGOTTEN_AFTER: TimeDelta = TimeDelta::days(30);
/// Longer than a look takes: who looks has the task for so long.
const LOOKED_AT_FOR: TimeDelta = TimeDelta::minutes(10);
/// Few enough for a round of a bot: the others come up in the next one.
const BATCH: u64 = 20;

/// Where a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sea_orm::EnumIter, sea_orm::DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum TaskState {
    /// Waits for the tap.
    Waiting,
    /// The post was retracted: nobody is to tap it any more.
    Withdrawing,
    Posted,
    /// It is not in the group, and will not be.
    NotPosted,
}

/// The table; its key is the message that the post carries.
pub mod entity {
    use sea_orm::entity::prelude::*;

    use super::TaskState;
    use crate::ids::{CountyId, GroupId, MessageId, OrganizationId, StaffId};

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "group_tasks")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: MessageId,
        pub county_id: CountyId,
        pub township_id: OrganizationId,
        pub group_id: GroupId,
        /// Who is to tap it.
        pub keeper_staff_id: StaffId,
        /// The same person at WeCom.
        pub sender: String,
        /// The platform's name of the task.
        pub platform_task: String,
        pub state: TaskState,
        pub created_at: DateTimeUtc,
        /// When the platform is asked next.
        pub look_at: DateTimeUtc,
        /// Who took the post back while it waited for the tap.
        pub retracted_by: Option<StaffId>,
        /// To be told to the group, should the post get there. None where the group is told already.
        pub retraction_reason: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// What the platform says of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    Dispatching,
    Untapped,
    Posted,
    /// Tapped, and not in the group all the same.
    NotPosted(String),
    /// It did not say.
    Unanswered,
}

/// What to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    LookAgain(DateTime<Utc>),
    Posted,
    NotPosted(String),
    /// The task is to be stopped at the platform.
    Stop,
}

/// What follows from what the platform says of a task that is not over.
#[must_use]
pub fn next(task: &entity::Model, standing: Standing, now: DateTime<Utc>) -> Next {
    let age = now - task.created_at;
    match standing {
        Standing::Posted => Next::Posted,
        Standing::NotPosted(reason) => Next::NotPosted(reason),
        Standing::Dispatching => Next::LookAgain(now + WHILE_DISPATCHING),
        Standing::Untapped | Standing::Unanswered if task.state == TaskState::Withdrawing || age >= GIVEN_UP_AFTER => {
            Next::Stop
        }
        Standing::Untapped | Standing::Unanswered => Next::LookAgain(now + pause(age)),
    }
}

/// Most people tap soon or not today.
fn pause(age: TimeDelta) -> TimeDelta {
    if age < TimeDelta::hours(1) {
        TimeDelta::minutes(5)
    } else if age < TimeDelta::days(1) {
        TimeDelta::minutes(30)
    } else {
        TimeDelta::hours(4)
    }
}

/// The reminder that is due for a task of this age, by the hours after which it comes. Of several that were missed, the last.
fn reminder(age: TimeDelta) -> Option<i64> {
    REMINDED_AFTER_HOURS.into_iter().find(|hours| age >= TimeDelta::hours(*hours))
}

/// A task that the platform made.
#[derive(Clone, Debug)]
pub struct NewTask {
    pub message: MessageId,
    pub keeper: StaffId,
    pub sender: String,
    pub platform_task: String,
    /// The post may be in the group from an attempt before the one that made the task.
    pub may_have_arrived: bool,
}

/// Writes the task down: its message is with a person now, or, if it was retracted meanwhile, the task is to be stopped; what the
/// group is to be told then waits with the task until the post gets there. False when somebody has decided otherwise about the
/// message; then the task must not be tapped.
///
/// # Errors
/// When the database does not answer.
pub async fn hand_over(unit: &UnitOfWork, holder: &str, group: &groups::Model, new: NewTask) -> Result<bool, Fault> {
    use entity::Column as C;
    let found = messages::Entity::find_by_id(new.message).lock_exclusive().one(unit.connection()).await?;
    let Some(found) = found else { return Ok(false) };
    let Some(state) = begins_as(&found, holder) else { return Ok(false) };
    let mut correction = None;
    if !new.may_have_arrived {
        // What became of the request is known after all: a task.
        messages::Entity::update_many()
            .col_expr(messages::Column::MayHaveArrived, Expr::value(false))
            .filter(messages::Column::Id.eq(new.message))
            .exec(unit.connection())
            .await?;
        if state == TaskState::Withdrawing {
            correction = retraction::drop_correction(unit, &found).await?;
        }
    }
    let message = new.message;
    let (handed, look_at) = if state == TaskState::Withdrawing {
        (MessageState::Withdrawn, unit.now())
    } else {
        (MessageState::HandedOver, unit.now() + WHILE_DISPATCHING)
    };
    entity::Entity::insert(entity::ActiveModel {
        id: Set(message),
        county_id: Set(group.county_id),
        township_id: Set(group.township_id),
        group_id: Set(group.id),
        keeper_staff_id: Set(new.keeper),
        sender: Set(new.sender),
        platform_task: Set(new.platform_task),
        state: Set(state),
        created_at: Set(unit.now()),
        look_at: Set(look_at),
        retracted_by: Set(correction.as_ref().and_then(reviews::author)),
        retraction_reason: Set(correction.as_ref().and_then(retraction::reason)),
    })
    .on_conflict(
        OnConflict::column(C::Id)
            .update_columns([
                C::KeeperStaffId,
                C::Sender,
                C::PlatformTask,
                C::State,
                C::CreatedAt,
                C::LookAt,
                C::RetractedBy,
                C::RetractionReason,
            ])
            .to_owned(),
    )
    .exec_without_returning(unit.connection())
    .await?;
    outbox::set_state(unit, message, handed, None).await?;
    Ok(true)
}

/// How the task begins that the platform has just made for this message; none when it must not be tapped, and nobody would stop it.
fn begins_as(message: &messages::Model, holder: &str) -> Option<TaskState> {
    let is_held = matches!(message.state, MessageState::Sending | MessageState::Departed)
        && message.lease_holder.as_deref() == Some(holder);
    if message.retracted_at.is_some() {
        // The request was on its way: the task is there, and is stopped.
        let is_over = message.state == MessageState::Withdrawn;
        return (is_held || is_over).then_some(TaskState::Withdrawing);
    }
    // A bot that was so slow that its message counts as unknown knows now what became of it.
    (is_held || message.state == MessageState::Unknown).then_some(TaskState::Waiting)
}

/// The tasks that are due to be looked at, for this caller alone.
///
/// # Errors
/// When the database does not answer.
pub async fn claim(store: &Store) -> Result<Vec<entity::Model>, Fault> {
    use entity::Column;
    let due = |now: DateTime<Utc>| {
        entity::Entity::find()
            .filter(Column::State.is_in([TaskState::Waiting, TaskState::Withdrawing]))
            .filter(Column::LookAt.lte(now))
    };
    // Looked at without a transaction first: there is seldom anything.
    if due(store.clock().now()).one(store.reader()).await?.is_none() {
        return Ok(Vec::new());
    }
    store
        .housekeeping(move |unit| {
            Box::pin(async move {
                let tasks = due(unit.now())
                    .order_by_asc(Column::LookAt)
                    .limit(BATCH)
                    .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
                    .all(unit.connection())
                    .await?;
                entity::Entity::update_many()
                    .col_expr(Column::LookAt, Expr::value(unit.now() + LOOKED_AT_FOR))
                    .filter(Column::Id.is_in(tasks.iter().map(|task| task.id)))
                    .exec(unit.connection())
                    .await?;
                Ok(tasks)
            })
        })
        .await
}

/// The task goes on waiting; whoever should tap it is reminded when that is due.
///
/// # Errors
/// When the database does not answer.
pub async fn keep_waiting(
    unit: &UnitOfWork,
    task: &entity::Model,
    look_at: DateTime<Utc>,
    standing: &Standing,
) -> Result<(), Fault> {
    entity::Entity::update_many()
        .col_expr(entity::Column::LookAt, Expr::value(look_at))
        .filter(entity::Column::Id.eq(task.id))
        .filter(entity::Column::PlatformTask.eq(task.platform_task.as_str()))
        .exec(unit.connection())
        .await?;
    let due = reminder(unit.now() - task.created_at).filter(|_| *standing == Standing::Untapped);
    let Some(hours) = due else { return Ok(()) };
    let group = groups::Entity::find_by_id(task.group_id).one(unit.connection()).await?;
    let title = group.map(|group| group.name).unwrap_or_default();
    let notice = Notice::new(Recipient::Staff(task.keeper_staff_id), "group_task_waiting", task.group_id)
        .step(format!("{}:{}:{hours}", task.id, shanghai_date(task.created_at)))
        .township(task.township_id)
        .facts(json!({"title": title, "task_id": task.id}));
    outbox::enqueue(unit, task.county_id, vec![notice]).await.map(|_| ())
}

/// How a task ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    Posted,
    NotPosted(String),
    /// It could not be stopped, and may yet be tapped: a person has to look.
    Unknown(String),
}

/// A task is over; its message says how. One that was retracted before stays so, unless it is in the group after all: then it counts
/// as posted, and is corrected there. One that was retracted and cannot be stopped is looked at further.
///
/// # Errors
/// When the database does not answer.
pub async fn end(unit: &UnitOfWork, task: &entity::Model, end: End) -> Result<(), Fault> {
    // The message first, like a retraction does: neither waits for the other.
    let message = unit.locked::<messages::Entity>(task.id).await?;
    let is_retracted = task.state == TaskState::Withdrawing;
    let age = unit.now() - task.created_at;
    let state = match &end {
        End::Posted => TaskState::Posted,
        End::Unknown(_) if is_retracted && age < FORGOTTEN_AFTER => TaskState::Withdrawing,
        End::NotPosted(_) | End::Unknown(_) => TaskState::NotPosted,
    };
    // Sent anew or retracted meanwhile, it is another matter.
    let ended = entity::Entity::update_many()
        .col_expr(entity::Column::State, Expr::value(state))
        .col_expr(entity::Column::LookAt, Expr::value(unit.now() + pause(age)))
        .filter(entity::Column::Id.eq(task.id))
        .filter(entity::Column::State.eq(task.state))
        .filter(entity::Column::PlatformTask.eq(task.platform_task.as_str()))
        .exec(unit.connection())
        .await?;
    if ended.rows_affected == 0 {
        return Ok(());
    }
    match end {
        End::Posted => {
            outbox::set_state(unit, task.id, MessageState::Sent, None).await?;
            correct(unit, task, message).await
        }
        End::NotPosted(_) | End::Unknown(_) if is_retracted && state == TaskState::NotPosted => {
            retraction::stay_out(unit, &message).await
        }
        End::NotPosted(reason) => outbox::set_state(unit, task.id, MessageState::Parked, Some(&reason)).await,
        End::Unknown(reason) => outbox::set_state(unit, task.id, MessageState::Unknown, Some(&reason)).await,
    }
}

/// The post got into the group; whoever took it back before has said what the group is to be told.
async fn correct(unit: &UnitOfWork, task: &entity::Model, message: messages::Model) -> Result<(), Fault> {
    let Some(reason) = &task.retraction_reason else { return Ok(()) };
    let group = groups::Entity::find_by_id(task.group_id).one(unit.connection()).await?;
    let Some(group) = group else { return Ok(()) };
    let message = messages::Model { sent_at: Some(unit.now()), ..message };
    let correction = retraction::correction(unit, task.retracted_by, &group, &message, reason).await?;
    outbox::enqueue(unit, task.county_id, correction.into_iter().collect()).await.map(|_| ())
}

/// The post of this message was retracted: its task is stopped as soon as a bot gets to it.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn withdraw(unit: &UnitOfWork, id: MessageId, by: Option<StaffId>, reason: &str) -> Result<(), Fault> {
    entity::Entity::update_many()
        .col_expr(entity::Column::State, Expr::value(TaskState::Withdrawing))
        .col_expr(entity::Column::LookAt, Expr::value(unit.now()))
        .col_expr(entity::Column::RetractedBy, Expr::value(by.map(|staff| staff.0)))
        .col_expr(entity::Column::RetractionReason, Expr::value(reason))
        .filter(entity::Column::Id.eq(id))
        .filter(entity::Column::State.eq(TaskState::Waiting))
        .exec(unit.connection())
        .await?;
    Ok(())
}

/// Somebody has seen a retracted post in the group whose task could not be stopped: it is corrected there.
///
/// # Errors
/// When the database does not answer.
pub(crate) async fn seen_in_the_group(unit: &UnitOfWork, message: &messages::Model) -> Result<(), Fault> {
    let task = entity::Entity::find_by_id(message.id).one(unit.connection()).await?;
    match task.filter(|task| task.state == TaskState::Withdrawing) {
        Some(task) => end(unit, &task, End::Posted).await,
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use uuid::Uuid;

    use super::*;
    use crate::ids::{CountyId, GroupId, OrganizationId};

    fn task(state: TaskState) -> entity::Model {
        let created_at = "2026-03-02T01:00:00Z".parse().unwrap();
        entity::Model {
            id: MessageId(Uuid::nil()),
            county_id: CountyId(Uuid::nil()),
            township_id: OrganizationId(Uuid::nil()),
            group_id: GroupId(Uuid::nil()),
            keeper_staff_id: StaffId(Uuid::nil()),
            sender: "keeper".into(),
            platform_task: "msg".into(),
            state,
            created_at,
            look_at: created_at,
            retracted_by: None,
            retraction_reason: None,
        }
    }

    #[rstest]
    #[case(TimeDelta::minutes(2), TimeDelta::minutes(5))]
    #[case(TimeDelta::hours(3), TimeDelta::minutes(30))]
    #[case(TimeDelta::days(6), TimeDelta::hours(4))]
    fn an_untapped_task_is_looked_at_ever_less_often(#[case] age: TimeDelta, #[case] pause: TimeDelta) {
        let task = task(TaskState::Waiting);
        let now = task.created_at + age;
        for standing in [Standing::Untapped, Standing::Unanswered] {
            assert_eq!(next(&task, standing, now), Next::LookAgain(now + pause));
        }
    }

    #[test]
    fn a_task_that_nobody_wants_any_more_or_nobody_tapped_for_a_week_is_stopped() {
        let waiting = task(TaskState::Waiting);
        assert_eq!(next(&waiting, Standing::Untapped, waiting.created_at + GIVEN_UP_AFTER), Next::Stop);
        let withdrawing = task(TaskState::Withdrawing);
        assert_eq!(next(&withdrawing, Standing::Untapped, withdrawing.created_at), Next::Stop);
        let posted = next(&withdrawing, Standing::Posted, withdrawing.created_at);
        assert_eq!(posted, Next::Posted, "too late to stop it");
    }

    #[test]
    fn no_day_has_more_than_three_reminders() {
        let hours: Vec<i64> = (0..=168).filter_map(|hour| reminder(TimeDelta::hours(hour))).collect();
        let mut distinct = hours.clone();
        distinct.dedup();
        assert_eq!(distinct, [3, 24, 72]);
    }
}

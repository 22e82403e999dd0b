//! Posts into groups with outside WeChat users. WeCom only makes a task of one; it is in the group once the person who looks
//! after the group has tapped it. So we ask the platform what became of it, remind that person, and in the end stop the task:
//! one that could still be tapped must not be sent again.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, LockBehavior, LockType, OnConflict},
};
use serde_json::json;

use super::entity as groups;
use crate::{
    clock::shanghai_date,
    ids::{MessageId, StaffId},
    outbox::{self, MessageState, Notice, Recipient},
    refusal::Fault,
    storage::{Store, UnitOfWork},
};

/// The platform says nothing of a task while it is being handed to the member.
const WHILE_DISPATCHING: TimeDelta = TimeDelta::minutes(2);
/// Who does not tap is reminded after so many hours: never more than the three a day that the platform thinks bearable.
const REMINDED_AFTER_HOURS: [i64; 3] = [72, 24, 3];
/// What nobody tapped for so long is not worth posting any more.
const GIVEN_UP_AFTER: TimeDelta = TimeDelta::days(7);
/// Longer than a look takes: who looks has the task for so long.
const LOOKED_AT_FOR: TimeDelta = TimeDelta::minutes(10);
const BATCH: u64 = 100;

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
}

/// Writes the task down: its message is with a person now. False when somebody has decided otherwise about the message
/// meanwhile; then the task must not be tapped.
///
/// # Errors
/// When the database does not answer.
pub async fn hand_over(unit: &UnitOfWork, holder: &str, group: &groups::Model, new: NewTask) -> Result<bool, Fault> {
    use entity::Column as C;
    // A bot that was so slow that its message counts as unknown knows now what became of it.
    if !outbox::is_held(unit, holder, &[new.message]).await? && !is_unknown(unit, new.message).await? {
        return Ok(false);
    }
    let message = new.message;
    entity::Entity::insert(entity::ActiveModel {
        id: Set(message),
        county_id: Set(group.county_id),
        township_id: Set(group.township_id),
        group_id: Set(group.id),
        keeper_staff_id: Set(new.keeper),
        sender: Set(new.sender),
        platform_task: Set(new.platform_task),
        state: Set(TaskState::Waiting),
        created_at: Set(unit.now()),
        look_at: Set(unit.now() + WHILE_DISPATCHING),
    })
    .on_conflict(
        OnConflict::column(C::Id)
            .update_columns([C::KeeperStaffId, C::Sender, C::PlatformTask, C::State, C::CreatedAt, C::LookAt])
            .to_owned(),
    )
    .exec_without_returning(unit.connection())
    .await?;
    outbox::set_state(unit, message, MessageState::HandedOver, None).await?;
    Ok(true)
}

async fn is_unknown(unit: &UnitOfWork, id: MessageId) -> Result<bool, Fault> {
    let message = outbox::entity::Entity::find_by_id(id).lock_exclusive().one(unit.connection()).await?;
    Ok(message.is_some_and(|message| message.state == MessageState::Unknown))
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

/// A task is over; its message says how. One that was retracted before stays so, unless it is in the group after all: then
/// it counts as posted, so that it can be corrected there.
///
/// # Errors
/// When the database does not answer.
pub async fn end(unit: &UnitOfWork, task: &entity::Model, end: End) -> Result<(), Fault> {
    let state = if end == End::Posted { TaskState::Posted } else { TaskState::NotPosted };
    // Sent anew or retracted meanwhile, it is another matter.
    let ended = entity::Entity::update_many()
        .col_expr(entity::Column::State, Expr::value(state))
        .filter(entity::Column::Id.eq(task.id))
        .filter(entity::Column::State.eq(task.state))
        .filter(entity::Column::PlatformTask.eq(task.platform_task.as_str()))
        .exec(unit.connection())
        .await?;
    if ended.rows_affected == 0 || (task.state == TaskState::Withdrawing && end != End::Posted) {
        return Ok(());
    }
    match end {
        End::Posted => outbox::set_state(unit, task.id, MessageState::Sent, None).await,
        End::NotPosted(reason) => outbox::set_state(unit, task.id, MessageState::Parked, Some(&reason)).await,
        End::Unknown(reason) => outbox::set_state(unit, task.id, MessageState::Unknown, Some(&reason)).await,
    }
}

/// The post of this message was retracted: its task is stopped as soon as a bot gets to it.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn withdraw(unit: &UnitOfWork, id: MessageId) -> Result<(), Fault> {
    entity::Entity::update_many()
        .col_expr(entity::Column::State, Expr::value(TaskState::Withdrawing))
        .col_expr(entity::Column::LookAt, Expr::value(unit.now()))
        .filter(entity::Column::Id.eq(id))
        .filter(entity::Column::State.eq(TaskState::Waiting))
        .exec(unit.connection())
        .await?;
    Ok(())
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

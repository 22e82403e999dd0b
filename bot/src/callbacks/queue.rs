//! Events of the platforms that change something of ours: written down before they are answered, and worked off at once if
//! that is quick, else by a bot. Nothing that people write is ever kept here.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use qingfeng_core::{
    audit::AuditEntry,
    cache::Cache,
    ids::{CountyId, random_id},
    people::{
        authorization::{Action, Subject, may},
        phones,
    },
    refusal::{Fault, Refusal},
    sealing::Sealer,
    storage::{Command, Done, Outcome, Store, UnitOfWork},
    subject::{SubjectKind, SubjectRef},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, OnConflict},
};
use uuid::Uuid;

use crate::{
    Bot,
    conversations::{Push, work_on_event},
};

/// The platforms deliver again what is not answered within five seconds.
const AT_ONCE: Duration = Duration::from_secs(3);
/// An event that fails so often is given up, and stands in the list of alarms until somebody has it tried again.
const MOST_ATTEMPTS: i32 = 20;
/// Pause after a failure.
const PAUSE: TimeDelta = TimeDelta::minutes(1);
const BATCH: u64 = 100;
/// Longer than any platform delivers an event again.
const REMEMBERED: TimeDelta = TimeDelta::days(2);

/// One row per event.
pub(crate) mod events {
    use qingfeng_core::ids::CountyId;
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "platform_events")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub county_id: CountyId,
        /// The same for every delivery of one event; keyed, because whose event of which second it is could be tried out.
        pub digest: String,
        /// The event; none once it is worked off.
        pub event: Option<Json>,
        pub attempts: i32,
        pub not_before: DateTimeUtc,
        pub received_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// What became of an event that was pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queued {
    /// Of somebody whom we do not know: there is nothing to do.
    OfNobody,
    /// It has been here already.
    Already,
    Done,
    /// A bot does it.
    Later,
}

/// Writes an event down and works it off if that is quick.
///
/// # Errors
/// When the database does not answer: the platform then delivers it again.
pub async fn enqueue(store: &Store, cache: &dyn Cache, sealer: &Sealer, push: &Push) -> Result<Queued, Fault> {
    let owners = if push.agent_id.is_empty() {
        phones::owners(store.reader(), &push.from).await?
    } else {
        phones::members(store.reader(), &push.from).await?
    };
    let Some(owner) = owners.first() else { return Ok(Queued::OfNobody) };
    let county = owner.county;
    debug_assert!(push.content.is_empty(), "what people write is not kept");
    let event = serde_json::to_value(push).map_err(Fault::unavailable)?;
    let digest = sealer.pseudonym("event", &push.digest());
    let id = store
        .housekeeping(move |unit| {
            Box::pin(async move {
                let id = random_id(unit.randomness());
                let new = events::ActiveModel {
                    id: Set(id),
                    county_id: Set(county),
                    digest: Set(digest),
                    event: Set(Some(event)),
                    attempts: Set(0),
                    // Not before the attempt that is made right now has ended.
                    not_before: Set(unit.now() + PAUSE),
                    received_at: Set(unit.now()),
                };
                let once = OnConflict::column(events::Column::Digest).do_nothing().to_owned();
                let written =
                    events::Entity::insert(new).on_conflict(once).exec_without_returning(unit.connection()).await?;
                Ok((written > 0).then_some(id))
            })
        })
        .await?;
    let Some(id) = id else { return Ok(Queued::Already) };
    match tokio::time::timeout(AT_ONCE, work(store, cache, sealer, id, push)).await {
        Ok(Ok(())) => Ok(Queued::Done),
        Ok(Err(fault)) => {
            tracing::warn!(%fault, event = push.event, "an event waits for a bot");
            Ok(Queued::Later)
        }
        Err(_) => Ok(Queued::Later),
    }
}

/// A crash between the two does the work again: an accept then counts twice until the platform says that there is none.
async fn work(store: &Store, cache: &dyn Cache, sealer: &Sealer, id: Uuid, push: &Push) -> Result<(), Fault> {
    work_on_event(store, cache, sealer, push).await?;
    store
        .housekeeping(move |unit| {
            Box::pin(async move {
                events::Entity::update(events::ActiveModel { id: Set(id), event: Set(None), ..Default::default() })
                    .exec(unit.connection())
                    .await?;
                Ok(())
            })
        })
        .await
}

/// Works off what waits.
///
/// # Errors
/// When the database does not answer.
pub(crate) async fn work_off(bot: &Bot) -> Result<(), Fault> {
    for waiting in claim(&bot.store).await? {
        let Some(push) = waiting.event.and_then(|event| serde_json::from_value::<Push>(event).ok()) else { continue };
        // One event's trouble is not the others'.
        if let Err(fault) = work(&bot.store, &*bot.cache, &bot.sealer, waiting.id, &push).await {
            tracing::error!(%fault, event = push.event, "an event of a platform could not be worked off");
        }
    }
    Ok(())
}

/// What is due; it comes up again after a pause unless it is done by then.
async fn claim(store: &Store) -> Result<Vec<events::Model>, Fault> {
    store
        .housekeeping(|unit| {
            Box::pin(async move {
                let due = events::Entity::find()
                    .filter(events::Column::Event.is_not_null())
                    .filter(events::Column::NotBefore.lte(unit.now()))
                    .filter(events::Column::Attempts.lt(MOST_ATTEMPTS))
                    .order_by_asc(events::Column::NotBefore)
                    .limit(BATCH)
                    .lock_with_behavior(
                        sea_orm::sea_query::LockType::Update,
                        sea_orm::sea_query::LockBehavior::SkipLocked,
                    )
                    .all(unit.connection())
                    .await?;
                for event in &due {
                    let again: DateTime<Utc> = unit.now() + PAUSE;
                    events::Entity::update(events::ActiveModel {
                        id: Set(event.id),
                        attempts: Set(event.attempts + 1),
                        not_before: Set(again),
                        ..Default::default()
                    })
                    .exec(unit.connection())
                    .await?;
                }
                Ok(due)
            })
        })
        .await
}

/// An event that was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GivenUp {
    pub id: Uuid,
    /// What happened, as the platform calls it; nothing of whom.
    pub event: String,
    pub attempts: i32,
    pub received_at: DateTime<Utc>,
}

fn is_given_up() -> Condition {
    Condition::all().add(events::Column::Event.is_not_null()).add(events::Column::Attempts.gte(MOST_ATTEMPTS))
}

/// The county's events that were given up, the oldest first.
pub(crate) async fn given_up(store: &Store, county: CountyId) -> Result<Vec<GivenUp>, Fault> {
    let rows = events::Entity::find()
        .filter(events::Column::CountyId.eq(county))
        .filter(is_given_up())
        .order_by_asc(events::Column::ReceivedAt)
        .limit(BATCH)
        .all(store.reader())
        .await?;
    let name = |event: &serde_json::Value| event["event"].as_str().unwrap_or_default().to_owned();
    Ok(rows
        .into_iter()
        .map(|row| GivenUp {
            id: row.id,
            event: row.event.as_ref().map(name).unwrap_or_default(),
            attempts: row.attempts,
            received_at: row.received_at,
        })
        .collect())
}

/// How many were given up in all counties.
pub(crate) async fn given_up_at_all(store: &Store) -> Result<u64, Fault> {
    Ok(events::Entity::find().filter(is_given_up()).count(store.reader()).await?)
}

/// Has an event tried again that was given up.
///
/// # Errors
/// `forbidden`; `not_found` when it was not given up.
pub async fn try_again(store: &Store, command: &Command, county: CountyId, id: Uuid) -> Result<Outcome<()>, Fault> {
    may(&command.actor, Action::SettleAlarm, &Subject { county: Some(county), ..Subject::default() })?;
    store
        .command(county, command, move |unit| {
            Box::pin(async move {
                let anew = events::Entity::update_many()
                    .col_expr(events::Column::Attempts, Expr::value(0))
                    .col_expr(events::Column::NotBefore, Expr::value(unit.now()))
                    .filter(events::Column::Id.eq(id))
                    .filter(events::Column::CountyId.eq(county))
                    .filter(is_given_up())
                    .exec(unit.connection())
                    .await?;
                if anew.rows_affected == 0 {
                    return Err(Refusal::not_found().into());
                }
                let about = SubjectRef { kind: SubjectKind::Sending, id };
                Ok(Done::new((), AuditEntry::new("platform_event_retried", about)))
            })
        })
        .await
}

/// Forgets the events that are done; what could not be worked off stays for whoever looks for it.
pub(crate) async fn forget_old_events(unit: &UnitOfWork, county: CountyId) -> Result<(), Fault> {
    events::Entity::delete_many()
        .filter(events::Column::CountyId.eq(county))
        .filter(events::Column::Event.is_null())
        .filter(events::Column::ReceivedAt.lt(unit.now() - REMEMBERED))
        .exec(unit.connection())
        .await?;
    Ok(())
}

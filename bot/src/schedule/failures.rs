//! Jobs that fail are tried again at every turn; meanwhile whoever watches the installation has to see it.

use chrono::{DateTime, Utc};
use qingfeng_core::{ids::CountyId, refusal::Fault, storage::Store};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, ExprTrait as _, QueryFilter, QueryOrder,
    sea_query::{Expr, OnConflict},
};

use crate::Bot;

mod entity {
    use sea_orm::entity::prelude::*;

    use qingfeng_core::ids::CountyId;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "schedule_failures")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub county_id: CountyId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub job: String,
        pub since: DateTimeUtc,
        pub failures: i32,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A job that has not come through since then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailingJob {
    pub job: String,
    pub since: DateTime<Utc>,
    /// How often it was tried.
    pub failures: i32,
}

impl From<entity::Model> for FailingJob {
    fn from(row: entity::Model) -> Self {
        Self { job: row.job, since: row.since, failures: row.failures }
    }
}

/// The jobs that fail now, the longest first.
///
/// # Errors
/// When the database does not answer.
pub async fn failing_jobs(store: &Store) -> Result<Vec<FailingJob>, Fault> {
    let rows = entity::Entity::find().order_by_asc(entity::Column::Since).all(store.reader()).await?;
    Ok(rows.into_iter().map(FailingJob::from).collect())
}

/// The same for one county.
pub(crate) async fn failing_jobs_of(store: &Store, county: CountyId) -> Result<Vec<FailingJob>, Fault> {
    let rows = entity::Entity::find()
        .filter(entity::Column::CountyId.eq(county))
        .order_by_asc(entity::Column::Since)
        .all(store.reader())
        .await?;
    Ok(rows.into_iter().map(FailingJob::from).collect())
}

/// The county's jobs of this sort that fail now.
pub(super) async fn of(bot: &Bot, county: CountyId, sort: &str) -> Result<Vec<String>, Fault> {
    let rows = entity::Entity::find()
        .filter(entity::Column::CountyId.eq(county))
        .filter(entity::Column::Job.starts_with(sort))
        .all(bot.store.reader())
        .await?;
    Ok(rows.into_iter().map(|row| row.job).collect())
}

pub(super) async fn record(bot: &Bot, county: CountyId, job: &str) -> Result<(), Fault> {
    let job = job.to_owned();
    bot.store
        .housekeeping(move |unit| {
            Box::pin(async move {
                let once_more = OnConflict::columns([entity::Column::CountyId, entity::Column::Job])
                    .value(entity::Column::Failures, Expr::col((entity::Entity, entity::Column::Failures)).add(1))
                    .to_owned();
                let failure = entity::ActiveModel {
                    county_id: Set(county),
                    job: Set(job),
                    since: Set(unit.now()),
                    failures: Set(1),
                };
                unit.later(&entity::Entity::insert(failure).on_conflict(once_more));
                Ok(())
            })
        })
        .await
}

/// The job came through.
pub(super) async fn forget(bot: &Bot, county: CountyId, job: &str) -> Result<(), Fault> {
    let job = job.to_owned();
    bot.store
        .housekeeping(move |unit| {
            Box::pin(async move {
                unit.later(
                    &entity::Entity::delete_many()
                        .filter(entity::Column::CountyId.eq(county))
                        .filter(entity::Column::Job.eq(job)),
                );
                Ok(())
            })
        })
        .await
}

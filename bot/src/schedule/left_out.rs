//! Townships that a standing job left out because a campaign has its own times there. When the campaign drops those times before
//! they come, on the same day, the usual time is over and its own one never comes: so the job is made up for there.

use chrono::NaiveDate;
use qingfeng_core::{
    ids::{CountyId, OrganizationId},
    refusal::Fault,
    storage::UnitOfWork,
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};

use super::{campaign_entries::Asked, runs};
use crate::Bot;

const BUT: &str = " but ";

/// A township that was left out today, and is left to nobody.
pub(super) struct LeftOut {
    pub(super) township: OrganizationId,
    row: String,
}

/// Writes down with a run for which townships it was not; what stands there of former days goes.
pub(super) async fn record(
    unit: &UnitOfWork,
    county: CountyId,
    job: &str,
    day: NaiveDate,
    townships: Vec<OrganizationId>,
) -> Result<(), Fault> {
    runs::Entity::delete_many()
        .filter(runs::Column::CountyId.eq(county))
        .filter(runs::Column::Job.starts_with(format!("{job}{BUT}")))
        .exec(unit.connection())
        .await?;
    let row = |township: OrganizationId| runs::ActiveModel {
        county_id: Set(county),
        job: Set(format!("{job}{BUT}{township}")),
        ran_for: Set(day),
    };
    let rows: Vec<_> = townships.into_iter().map(row).collect();
    if !rows.is_empty() {
        runs::Entity::insert_many(rows).exec_without_returning(unit.connection()).await?;
    }
    Ok(())
}

/// The townships that a job's run of this day left out, and that no campaign has times of its own for any more.
pub(super) async fn to_make_up(
    bot: &Bot,
    county: CountyId,
    job: &str,
    day: NaiveDate,
    asked: &Asked,
) -> Result<Vec<LeftOut>, Fault> {
    let Some(run) = super::run_of(job) else { return Ok(Vec::new()) };
    let prefix = format!("{job}{BUT}");
    let rows = runs::Entity::find()
        .filter(runs::Column::CountyId.eq(county))
        .filter(runs::Column::Job.starts_with(prefix.as_str()))
        .filter(runs::Column::RanFor.eq(day))
        .all(bot.store.reader())
        .await?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let theirs = asked.townships(run);
    let left_out = rows.into_iter().filter_map(|row| {
        let township = row.job.strip_prefix(&prefix)?.parse().ok()?;
        Some(LeftOut { township, row: row.job })
    });
    Ok(left_out.filter(|left_out| !theirs.contains(&left_out.township)).collect())
}

/// It was made up for.
pub(super) async fn forget(bot: &Bot, county: CountyId, made_up: LeftOut) -> Result<(), Fault> {
    bot.store
        .housekeeping(move |unit| {
            Box::pin(async move {
                runs::Entity::delete_by_id((county, made_up.row)).exec(unit.connection()).await?;
                Ok(())
            })
        })
        .await
}

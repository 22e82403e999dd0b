use chrono::{DateTime, NaiveTime, Utc};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, sea_query::OnConflict};

use crate::{
    campaigns::{
        Plan,
        entity::{
            campaigns,
            schedule::{ActiveModel, Column, Entity},
        },
        plan::ScheduledRun,
    },
    clock::{shanghai_date, shanghai_instant},
    ids::CampaignId,
    refusal::Fault,
    storage::{Store, UnitOfWork},
};

/// Brings the kept schedule up to the plan. An entry that is new or changed counts from now; another stays where it was. Reminders
/// count from the beginning of a day on which they have not come yet: moved from the afternoon to a time that is past, they would
/// leave out the day. A message exists once, so that what came at another time does not come again.
pub(super) async fn keep_schedule(unit: &UnitOfWork, campaign: &campaigns::Model, plan: &Plan) -> Result<(), Fault> {
    let known = Entity::find().filter(Column::CampaignId.eq(campaign.id)).all(unit.connection()).await?;
    let dropped: Vec<_> = known
        .iter()
        .filter(|row| plan.schedule.iter().all(|entry| entry.key != row.key))
        .map(|row| row.key.clone())
        .collect();
    if !dropped.is_empty() {
        unit.later(
            &Entity::delete_many().filter(Column::CampaignId.eq(campaign.id)).filter(Column::Key.is_in(dropped)),
        );
    }
    for entry in &plan.schedule {
        let kept = serde_json::to_value(entry).map_err(Fault::unavailable)?;
        let before = known.iter().find(|row| row.key == entry.key);
        if before.is_some_and(|row| row.entry == kept) {
            continue;
        }
        let (mut since, mut ran_until) = (unit.now(), None);
        if entry.runs == ScheduledRun::Reminders {
            ran_until = before.filter(|row| row.entry["runs"] == kept["runs"]).and_then(|row| row.ran_until);
            if ran_until.is_none_or(|ran| shanghai_date(ran) < unit.today()) {
                since = shanghai_instant(unit.today(), NaiveTime::MIN);
            }
        }
        let row = ActiveModel {
            county_id: Set(campaign.county_id),
            campaign_id: Set(campaign.id),
            key: Set(entry.key.clone()),
            entry: Set(kept),
            since: Set(since),
            ran_until: Set(ran_until),
        };
        let anew = OnConflict::columns([Column::CampaignId, Column::Key])
            .update_columns([Column::Entry, Column::Since, Column::RanUntil])
            .to_owned();
        Entity::insert(row).on_conflict(anew).exec_without_returning(unit.connection()).await?;
    }
    Ok(())
}

/// Writes down that an entry was done for this time.
///
/// # Errors
/// When the database does not answer.
pub async fn scheduled_run_done(
    store: &Store,
    campaign: CampaignId,
    key: &str,
    due: DateTime<Utc>,
) -> Result<(), Fault> {
    let key = key.to_owned();
    store
        .housekeeping(move |unit| {
            Box::pin(async move {
                let done = ActiveModel { ran_until: Set(Some(due)), ..Default::default() };
                Entity::update_many()
                    .set(done)
                    .filter(Column::CampaignId.eq(campaign))
                    .filter(Column::Key.eq(key))
                    .exec(unit.connection())
                    .await?;
                Ok(())
            })
        })
        .await
}

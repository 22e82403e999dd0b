use chrono::{Datelike as _, Days, NaiveDate, NaiveTime};
use qingfeng_core::{
    clock::shanghai_instant,
    groups,
    ids::CountyId,
    outbox::{self, Notice, Recipient},
    people::entity::organizations,
    publication,
    refusal::Fault,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::json;

use crate::Bot;

/// On the first working day of a month, writes each village group's post about the month before. In a year whose
/// calendar is unknown, on the first of the month: late news help nobody.
pub(super) async fn schedule(bot: &Bot, county: CountyId, today: NaiveDate) -> Result<(), Fault> {
    let calendar = bot.calendar.current().await?;
    let first = today.with_day(1).unwrap_or(today);
    let post_day = calendar.nth_working_day(today.year(), today.month(), 1).unwrap_or(first);
    // On or after: an outage on the day itself is caught up.
    if today < post_day {
        return Ok(());
    }
    let month = first - Days::new(1);
    let begins = month.with_day(1).unwrap_or(month);
    let midnight = NaiveTime::MIN;
    let span = (shanghai_instant(begins, midnight), shanghai_instant(first, midnight));
    let known = groups::entity::Entity::find()
        .filter(groups::entity::Column::CountyId.eq(county))
        .filter(groups::entity::Column::Active.eq(true))
        .all(bot.store.reader())
        .await?;
    let mut notices = Vec::new();
    for group in known {
        let village = organizations::Entity::find_by_id(group.village_id).one(bot.store.reader()).await?;
        let Some(village) = village else { continue };
        let figures = publication::monthly_figures(bot.store.reader(), village.id, span).await?;
        let items = publication::items_in_progress(bot.store.reader(), village.id, today).await?;
        let facts = json!({
            "village": village.name,
            "village_id": village.id,
            "month_label": format!("{}年{}月", begins.year(), begins.month()),
            "received": figures.received,
            "closed": figures.closed,
            "satisfied": figures.satisfied,
            "dissatisfied": figures.dissatisfied,
            "items": items,
        });
        notices.push(
            Notice::new(Recipient::Group(group.id), "monthly_progress", village.id)
                .step(begins.format("%Y-%m").to_string())
                .township(group.township_id)
                .facts(facts),
        );
    }
    bot.store.housekeeping(move |unit| Box::pin(outbox::enqueue(unit, county, notices))).await?;
    Ok(())
}

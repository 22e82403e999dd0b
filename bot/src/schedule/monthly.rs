use std::collections::HashMap;

use chrono::{Datelike as _, Days, NaiveDate, NaiveTime};
use qingfeng_core::{
    calendar::{Calendar, DayRule, OnRestDay},
    campaigns,
    clock::shanghai_instant,
    groups,
    ids::{CountyId, OrganizationId},
    outbox::{self, Notice, Recipient},
    people::entity::organizations,
    publication,
    refusal::Fault,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::json;

use super::Places;
use crate::Bot;

/// Writes each village group's post about the month before. At the times of a campaign's schedule; else on the day that the
/// campaign names, or on the first working day of a month. In a year whose calendar is unknown, on the first of the month: late
/// news help nobody.
pub(super) async fn schedule(bot: &Bot, county: CountyId, here: &Places, today: NaiveDate) -> Result<(), Fault> {
    let calendar = bot.calendar.of(county).await?;
    let first = today.with_day(1).unwrap_or(today);
    let usual_day = calendar.nth_working_day(today.year(), today.month(), 1).unwrap_or(first);
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
    let mut post_days = HashMap::new();
    for group in known.into_iter().filter(|group| here.include(Some(group.township_id))) {
        let post_day = match post_days.get(&group.township_id) {
            Some(day) => *day,
            None if here.single().is_some() => today,
            None => {
                let day = planned_day(bot, &calendar, group.township_id, today).await?.unwrap_or(usual_day);
                post_days.insert(group.township_id, day);
                day
            }
        };
        // On or after: an outage on the day itself is caught up.
        if today < post_day {
            continue;
        }
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

/// The day that the running campaign names for this month; on a rest day it is posted before, so that no month is left
/// out.
async fn planned_day(
    bot: &Bot,
    calendar: &Calendar,
    township: OrganizationId,
    today: NaiveDate,
) -> Result<Option<NaiveDate>, Fault> {
    let campaign = campaigns::queries::in_force(bot.store.reader(), township, today).await?;
    let named = campaign.and_then(|campaign| campaign.plan.publication.monthly_post_day);
    let Some(date) = named.and_then(|day| today.with_day(day)) else { return Ok(None) };
    let rule = DayRule::Date { date, on_rest_day: OnRestDay::Before };
    Ok(Some(calendar.day(rule).due_on.unwrap_or(date)))
}

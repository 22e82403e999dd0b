//! What the running campaigns let the bot do by itself, and what is due of it.

use std::collections::HashMap;

use chrono::{DateTime, Datelike as _, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{
    Plan,
    entity::{campaigns, schedule},
    plan::{ScheduleEntry, ScheduledRun},
};
use crate::{
    calendar::{Calendar, Recurrence, UnknownYear},
    clock::{shanghai_date, shanghai_instant},
    ids::{CampaignId, CountyId, OrganizationId},
    refusal::Fault,
};

/// Most times that a preview shows.
pub const LONGEST_PREVIEW: usize = 200;

/// An entry of a campaign that runs in a township.
#[derive(Clone, Debug)]
pub struct InForce {
    pub campaign: CampaignId,
    pub township: OrganizationId,
    pub entry: ScheduleEntry,
    /// Whatever is due at or before this instant is over: the campaign had not begun, the plan did not say so yet, or it was
    /// done.
    over_until: DateTime<Utc>,
}

impl InForce {
    /// The time for which it has to be done now. Of several that were missed only the last one.
    ///
    /// # Errors
    /// When it depends on a year whose notice is not known.
    pub fn due(&self, calendar: &Calendar, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, UnknownYear> {
        let Ok(recurrence) = self.entry.recurrence() else { return Ok(None) };
        Ok(recurrence.last(calendar, now)?.filter(|due| *due > self.over_until))
    }

    /// Whether it was due on this day and has not been done since.
    #[must_use]
    pub fn was_missed_on(&self, calendar: &Calendar, day: NaiveDate) -> bool {
        let ends = shanghai_instant(day + Days::new(1), NaiveTime::MIN);
        let last = self.entry.recurrence().ok().and_then(|recurrence| recurrence.last(calendar, ends).ok().flatten());
        last.is_some_and(|due| due > self.over_until && shanghai_date(due) == day)
    }

    /// The day before the next time: what is due by then comes under this time.
    #[must_use]
    pub fn covers_until(&self, calendar: &Calendar, due: DateTime<Utc>) -> Option<NaiveDate> {
        let coming = self.entry.recurrence().ok()?.next(calendar, due).ok().flatten()?;
        shanghai_date(coming).pred_opt()
    }
}

/// The schedules of a county's campaigns on this day. Each campaign sums up for itself; what is done once for a whole township is
/// done at the times of one of its campaigns, of those that name it the one that began last.
///
/// # Errors
/// When the database does not answer.
pub async fn in_force(
    connection: &impl ConnectionTrait,
    county: CountyId,
    today: NaiveDate,
) -> Result<Vec<InForce>, Fault> {
    let running: Vec<(CampaignId, OrganizationId, NaiveDate)> = campaigns::Entity::find()
        .select_only()
        .columns([campaigns::Column::Id, campaigns::Column::TownshipId, campaigns::Column::StartsOn])
        .filter(campaigns::Column::CountyId.eq(county))
        .filter(campaigns::Column::StartsOn.lte(today))
        .filter(campaigns::Column::EndsOn.gte(today))
        .order_by_desc(campaigns::Column::StartsOn)
        .order_by_desc(campaigns::Column::Id)
        .into_tuple()
        .all(connection)
        .await?;
    if running.is_empty() {
        return Ok(Vec::new());
    }
    let place_of = |id: CampaignId| running.iter().position(|(campaign, ..)| *campaign == id);
    let mut rows = schedule::Entity::find()
        .filter(schedule::Column::CampaignId.is_in(running.iter().map(|(campaign, ..)| *campaign)))
        .order_by_asc(schedule::Column::Key)
        .all(connection)
        .await?;
    rows.sort_by_key(|row| place_of(row.campaign_id));
    let mut leading = HashMap::new();
    let mut entries = Vec::new();
    for row in rows {
        let Some((_, township, starts_on)) = place_of(row.campaign_id).map(|place| running[place]) else { continue };
        let entry: ScheduleEntry = serde_json::from_value(row.entry).map_err(Fault::unavailable)?;
        let is_led = entry.runs.is_for_the_whole_township()
            && *leading.entry((township, entry.runs)).or_insert(row.campaign_id) != row.campaign_id;
        if is_led {
            continue;
        }
        let begins = shanghai_instant(starts_on, NaiveTime::MIN);
        let over_until = [Some(row.since), row.ran_until].into_iter().flatten().fold(begins, Ord::max);
        entries.push(InForce { campaign: row.campaign_id, township, entry, over_until });
    }
    Ok(entries)
}

/// When another campaign's times hold instead, for what is done once for the whole township.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Led {
    pub runs: ScheduledRun,
    /// The first and the last day of that campaign.
    pub from: NaiveDate,
    pub to: NaiveDate,
}

/// When a campaign's times do not hold because another one's do: of those that name the same, the one that began last.
///
/// # Errors
/// When the database does not answer.
pub async fn led(connection: &impl ConnectionTrait, campaign: &campaigns::Model) -> Result<Vec<Led>, Fault> {
    let beside: Vec<(CampaignId, NaiveDate, NaiveDate)> = campaigns::Entity::find()
        .select_only()
        .columns([campaigns::Column::Id, campaigns::Column::StartsOn, campaigns::Column::EndsOn])
        .filter(campaigns::Column::TownshipId.eq(campaign.township_id))
        .filter(campaigns::Column::StartsOn.gte(campaign.starts_on))
        .filter(campaigns::Column::StartsOn.lte(campaign.ends_on))
        .order_by_desc(campaigns::Column::StartsOn)
        .order_by_desc(campaigns::Column::Id)
        .into_tuple()
        .all(connection)
        .await?;
    let before: Vec<_> = beside.into_iter().take_while(|(id, ..)| *id != campaign.id).collect();
    if before.is_empty() {
        return Ok(Vec::new());
    }
    let rows = schedule::Entity::find()
        .filter(schedule::Column::CampaignId.is_in(before.iter().map(|(id, ..)| *id)))
        .all(connection)
        .await?;
    let mut led = Vec::new();
    for row in rows {
        let Some((_, from, to)) = before.iter().find(|(id, ..)| *id == row.campaign_id) else { continue };
        let entry: ScheduleEntry = serde_json::from_value(row.entry).map_err(Fault::unavailable)?;
        if entry.runs.is_for_the_whole_township() {
            led.push(Led { runs: entry.runs, from: *from, to: *to });
        }
    }
    Ok(led)
}

/// A time to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coming {
    pub at: DateTime<Utc>,
    pub key: String,
    pub runs: ScheduledRun,
    /// When it runs, in words.
    pub rule: String,
}

/// What is to come.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Preview {
    /// In order of time; at most [`LONGEST_PREVIEW`].
    pub times: Vec<Coming>,
    /// From this year on some are not known yet, because its notice is not published.
    pub unknown_from: Option<i32>,
}

impl Plan {
    /// What the bot will do by itself from one day to another, both included, within the campaign; but for what happens at another
    /// campaign's times.
    #[must_use]
    pub fn preview(&self, calendar: &Calendar, first: NaiveDate, last: NaiveDate, led: &[Led]) -> Preview {
        let mut preview = Preview::default();
        let (first, last) = (first.max(self.starts_on), last.min(self.ends_on));
        if first > last {
            return preview;
        }
        let first = shanghai_instant(first, NaiveTime::MIN) - TimeDelta::milliseconds(1);
        for entry in &self.schedule {
            let Ok(recurrence) = entry.recurrence() else { continue };
            let is_ours = |at: DateTime<Utc>| {
                let day = shanghai_date(at);
                led.iter().all(|led| led.runs != entry.runs || !(led.from..=led.to).contains(&day))
            };
            let times = times(&recurrence, calendar, (first, last), is_ours, &mut preview.unknown_from);
            preview.times.extend(times.into_iter().map(|at| Coming {
                at,
                key: entry.key.clone(),
                runs: entry.runs,
                rule: entry.words(),
            }));
        }
        preview.times.sort_by(|one, other| (one.at, &one.key).cmp(&(other.at, &other.key)));
        preview.times.truncate(LONGEST_PREVIEW);
        preview
    }
}

fn times(
    recurrence: &Recurrence,
    calendar: &Calendar,
    (mut after, last): (DateTime<Utc>, NaiveDate),
    is_ours: impl Fn(DateTime<Utc>) -> bool,
    unknown_from: &mut Option<i32>,
) -> Vec<DateTime<Utc>> {
    let mut times = Vec::new();
    while times.len() < LONGEST_PREVIEW {
        match recurrence.next(calendar, after) {
            Ok(Some(time)) if shanghai_date(time) <= last => {
                if is_ours(time) {
                    times.push(time);
                }
                after = time;
            }
            Ok(_) => break,
            // A year after the last day does not matter.
            Err(UnknownYear(year)) => {
                if year <= last.year() {
                    *unknown_from = Some(unknown_from.map_or(year, |known| known.min(year)));
                }
                break;
            }
        }
    }
    times
}

//! What the running campaigns let the bot do by itself, and what is due of it.

use std::collections::HashSet;

use chrono::{DateTime, Datelike as _, NaiveDate, NaiveTime, TimeDelta, Utc};
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

/// An entry of the campaign in force in a township.
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

    /// The day before the next time: what is due by then comes under this time.
    #[must_use]
    pub fn covers_until(&self, calendar: &Calendar, due: DateTime<Utc>) -> Option<NaiveDate> {
        let coming = self.entry.recurrence().ok()?.next(calendar, due).ok().flatten()?;
        shanghai_date(coming).pred_opt()
    }
}

/// The schedules of a county's campaigns on this day: of a township that has several campaigns, of the one that began last.
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
    let mut seen = HashSet::new();
    let leading: Vec<_> = running.into_iter().filter(|(_, township, _)| seen.insert(*township)).collect();
    if leading.is_empty() {
        return Ok(Vec::new());
    }
    let rows = schedule::Entity::find()
        .filter(schedule::Column::CampaignId.is_in(leading.iter().map(|(campaign, ..)| *campaign)))
        .order_by_asc(schedule::Column::CampaignId)
        .order_by_asc(schedule::Column::Key)
        .all(connection)
        .await?;
    rows.into_iter()
        .filter_map(|row| {
            let (_, township, starts_on) = leading.iter().find(|(campaign, ..)| *campaign == row.campaign_id)?;
            Some((row, *township, *starts_on))
        })
        .map(|(row, township, starts_on)| {
            let begins = shanghai_instant(starts_on, NaiveTime::MIN);
            let over_until = [Some(begins), Some(row.since), row.ran_until].into_iter().flatten().max();
            Ok(InForce {
                campaign: row.campaign_id,
                township,
                entry: serde_json::from_value(row.entry).map_err(Fault::unavailable)?,
                over_until: over_until.unwrap_or(begins),
            })
        })
        .collect()
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
    /// What the bot will do by itself from one day to another, both included, within the campaign.
    #[must_use]
    pub fn preview(&self, calendar: &Calendar, first: NaiveDate, last: NaiveDate) -> Preview {
        let mut preview = Preview::default();
        let (first, last) = (first.max(self.starts_on), last.min(self.ends_on));
        if first > last {
            return preview;
        }
        let first = shanghai_instant(first, NaiveTime::MIN) - TimeDelta::milliseconds(1);
        for entry in &self.schedule {
            let Ok(recurrence) = entry.recurrence() else { continue };
            let times = times(&recurrence, calendar, (first, last), &mut preview.unknown_from);
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
    unknown_from: &mut Option<i32>,
) -> Vec<DateTime<Utc>> {
    let mut times = Vec::new();
    while times.len() < LONGEST_PREVIEW {
        match recurrence.next(calendar, after) {
            Ok(Some(time)) if shanghai_date(time) <= last => {
                times.push(time);
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

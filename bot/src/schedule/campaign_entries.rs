//! What campaigns' plans let run by itself, each at its own times and in its own township. One that was missed is caught up
//! once; one that fails stops no other.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use qingfeng_core::{
    calendar::Calendar,
    campaigns::{
        plan::ScheduledRun,
        schedule::{self, InForce},
        scheduled_run_done,
    },
    clock::shanghai_date,
    ids::{CountyId, OrganizationId},
    refusal::Fault,
};

use super::{Outgoing, Places, failures, monthly, policy, reminders, summary};
use crate::Bot;

/// How the jobs here are called in `/readyz`, before campaign and key.
const SORT: &str = "campaign ";

/// What campaigns ask for in a county today.
pub(super) struct Asked {
    entries: Vec<InForce>,
    calendar: std::sync::Arc<Calendar>,
    now: DateTime<Utc>,
}

impl Asked {
    pub(super) async fn read(bot: &Bot, county: CountyId) -> Result<Self, Fault> {
        let now = bot.store.clock().now();
        let entries = schedule::in_force(bot.store.reader(), county, shanghai_date(now)).await?;
        Ok(Self { entries, calendar: bot.calendar.of(county).await?, now })
    }

    /// The townships in which a campaign does this at its own times. In a year whose calendar is not known a township's own
    /// times may be unknown: then the usual one is kept.
    pub(super) fn townships(&self, run: ScheduledRun) -> HashSet<OrganizationId> {
        let known = |entry: &&InForce| entry.entry.runs == run && entry.due(&self.calendar, self.now).is_ok();
        self.entries.iter().filter(known).map(|entry| entry.township).collect()
    }

    pub(super) async fn run(&self, bot: &Bot, county: CountyId, outgoing: &Outgoing<'_>) -> Result<(), Fault> {
        // What failed before and does not now: it came through, its year became known, or nobody asks for it any more.
        let mut mended = failures::of(bot, county, SORT).await?;
        for entry in &self.entries {
            let job = format!("{SORT}{} {}", entry.campaign, entry.entry.key);
            // One campaign's trouble is not the others'.
            if let Err(fault) = self.run_if_due(bot, county, entry, outgoing).await {
                tracing::error!(%fault, job, %county, "a campaign's scheduled run failed; it is tried again");
                failures::record(bot, county, &job).await?;
                mended.retain(|known| *known != job);
            }
        }
        for job in mended {
            failures::forget(bot, county, &job).await?;
        }
        Ok(())
    }

    async fn run_if_due(
        &self,
        bot: &Bot,
        county: CountyId,
        entry: &InForce,
        outgoing: &Outgoing<'_>,
    ) -> Result<(), Fault> {
        let Some(due) = entry.due(&self.calendar, self.now).map_err(Fault::unavailable)? else { return Ok(()) };
        let (day, here) = (shanghai_date(due), Places::Township(entry.township));
        match entry.entry.runs {
            ScheduledRun::Reminders => {
                let before = policy::working_day_before_rest(&self.calendar, day);
                if let Some(missed) = before.filter(|before| entry.was_missed_on(&self.calendar, *before)) {
                    reminders::schedule(bot, county, &here, missed, outgoing).await?;
                }
                reminders::schedule(bot, county, &here, day, outgoing).await?;
            }
            ScheduledRun::MonthlyPosts => monthly::schedule(bot, county, &here, day).await?,
            ScheduledRun::Summary => {
                summary::schedule(bot, entry, due, entry.covers_until(&self.calendar, due), outgoing).await?;
            }
        }
        // Written after the work: a crash in between repeats it, and the outbox's unique key makes that harmless.
        scheduled_run_done(&bot.store, entry.campaign, &entry.entry.key, due).await
    }
}

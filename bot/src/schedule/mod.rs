//! What is due by the calendar: reminders, monthly posts, housekeeping. One leader schedules; each standing job runs once a day
//! and, after an outage, once for all the days missed. What a campaign's plan names runs at its own times instead.

mod campaign_entries;
mod failures;
mod housekeeping;
mod left_out;
mod monthly;
mod outgoing;
mod patience;
mod places;
mod policy;
mod prepared_posts;
mod reminders;
mod sealed_results;
mod silence;
mod summary;
mod surveys;
mod unread_posts;

use std::{str::FromStr, time::Duration};

use chrono::{DateTime, FixedOffset, NaiveDate};
use cron::Schedule;
use qingfeng_core::{
    campaigns::{self, plan::ScheduledRun},
    clock::{shanghai, shanghai_date},
    ids::CountyId,
    people::{OrganizationKind, entity::organizations},
    refusal::Fault,
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, sea_query::OnConflict};

pub(crate) use failures::failing_jobs_of;
pub use failures::{FailingJob, failing_jobs};
pub use policy::ReminderPolicy;

use crate::Bot;
use campaign_entries::Asked;
use outgoing::Outgoing;
use places::Places;

/// Name of the scheduler's lease.
pub const LEADERSHIP: &str = "bot:scheduler";
/// A leader that is silent for so long is replaced.
const LEADS_FOR: Duration = Duration::from_secs(60);

/// A job and when it runs, Beijing time (seconds first).
struct Job {
    name: &'static str,
    at: &'static str,
}

/// None at a full or half hour, when everybody's programs call the platforms.
const JOBS: [Job; 8] = [
    Job { name: "surveys", at: "0 5 0 * * *" },
    // Before the reminders, which see only what is open.
    Job { name: "duties", at: "0 52 7 * * *" },
    // Before offices open, after the quiet hours.
    Job { name: "reminders", at: "0 10 8 * * *" },
    Job { name: "silence", at: "0 20 8 * * *" },
    Job { name: "unread_posts", at: "0 23 8 * * *" },
    Job { name: "prepared_posts", at: "0 26 8 * * *" },
    Job { name: "monthly_posts", at: "0 56 8 * * *" },
    Job { name: "housekeeping", at: "0 34 3 * * *" },
];

mod runs {
    use sea_orm::entity::prelude::*;

    use qingfeng_core::ids::CountyId;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "schedule_runs")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub county_id: CountyId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub job: String,
        /// The last day it ran for.
        pub ran_for: Date,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) async fn run(bot: &Bot) -> Result<(), Fault> {
    if !bot.cache.lease(LEADERSHIP, &bot.holder, LEADS_FOR).await? {
        return Ok(());
    }
    let counties = organizations::Entity::find()
        .filter(organizations::Column::Kind.eq(OrganizationKind::County))
        .all(bot.store.reader())
        .await?;
    for county in counties {
        let outgoing = Outgoing::begin(bot, county.county_id);
        let ended = run_for(bot, county.county_id, &outgoing).await;
        outgoing.let_go().await?;
        ended?;
    }
    Ok(())
}

async fn run_for(bot: &Bot, county: CountyId, outgoing: &Outgoing<'_>) -> Result<(), Fault> {
    sealed_results::publish(bot, county).await?;
    let asked = Asked::read(bot, county).await?;
    for job in &JOBS {
        // One county's trouble is not the others'.
        if let Err(fault) = run_if_due(bot, county, &asked, job, outgoing).await {
            tracing::error!(%fault, job = job.name, %county, "a scheduled job failed; it is tried again");
            failures::record(bot, county, job.name).await?;
        }
    }
    asked.run(bot, county, outgoing).await
}

async fn run_if_due(
    bot: &Bot,
    county: CountyId,
    asked: &Asked,
    job: &Job,
    outgoing: &Outgoing<'_>,
) -> Result<(), Fault> {
    let now = bot.store.clock().now().with_timezone(&shanghai());
    let Some(due_for) = last_time(job, now)? else { return Ok(()) };
    let last = runs::Entity::find_by_id((county, job.name.to_owned())).one(bot.store.reader()).await?;
    if last.as_ref().is_some_and(|run| run.ran_for >= due_for) {
        return make_up(bot, county, asked, job, due_for, outgoing).await;
    }
    match job.name {
        "duties" => {
            let calendar = bot.calendar.of(county).await?;
            campaigns::open_coming_duties(&bot.store, &calendar, county).await?;
        }
        "reminders" | "monthly_posts" => {
            let others = run_of(job.name).map(|run| asked.townships(run)).unwrap_or_default();
            let places = Places::CountyBut(others);
            // What rings before rest days rings on them, too, when the bots were away on that day: afterwards it is too late.
            let calendar = bot.calendar.of(county).await?;
            let missed = policy::working_day_before_rest(&calendar, due_for);
            if let Some(missed) = missed.filter(|day| last.is_some_and(|run| run.ran_for < *day)) {
                run_in(bot, county, job, &places, missed, outgoing).await?;
            }
            run_in(bot, county, job, &places, due_for, outgoing).await?;
        }
        "surveys" => surveys::close_finished(bot, county, due_for).await?,
        "silence" => silence::schedule(bot, county, due_for, outgoing).await?,
        "unread_posts" => unread_posts::schedule(bot, county, due_for, outgoing).await?,
        "prepared_posts" => prepared_posts::schedule(bot, county, due_for, outgoing).await?,
        _ => housekeeping::sweep(bot, county).await?,
    }
    if !failures::failing_jobs(&bot.store).await?.is_empty() {
        failures::forget(bot, county, job.name).await?;
    }
    // Written after the work: a crash in between repeats it, and the outbox's unique key makes that harmless.
    let name = job.name.to_owned();
    let left_out = run_of(job.name).map(|run| asked.townships(run).into_iter().collect());
    bot.store
        .housekeeping(move |unit| {
            Box::pin(async move {
                if let Some(townships) = left_out {
                    left_out::record(unit, county, &name, due_for, townships).await?;
                }
                runs::Entity::insert(runs::ActiveModel {
                    county_id: Set(county),
                    job: Set(name),
                    ran_for: Set(due_for),
                })
                .on_conflict(
                    OnConflict::columns([runs::Column::CountyId, runs::Column::Job])
                        .update_column(runs::Column::RanFor)
                        .to_owned(),
                )
                .exec_without_returning(unit.connection())
                .await?;
                Ok(())
            })
        })
        .await
}

/// What of a standing job a campaign may do at its own times.
fn run_of(job: &str) -> Option<ScheduledRun> {
    match job {
        "reminders" => Some(ScheduledRun::Reminders),
        "monthly_posts" => Some(ScheduledRun::MonthlyPosts),
        _ => None,
    }
}

async fn run_in(
    bot: &Bot,
    county: CountyId,
    job: &Job,
    here: &Places,
    day: NaiveDate,
    outgoing: &Outgoing<'_>,
) -> Result<(), Fault> {
    match run_of(job.name) {
        Some(ScheduledRun::Reminders) => reminders::schedule(bot, county, here, day, outgoing).await,
        Some(ScheduledRun::MonthlyPosts) => monthly::schedule(bot, county, here, day).await,
        _ => Ok(()),
    }
}

/// Does today's job where it was left to a campaign that has dropped it since. What came already does not come again: a message
/// exists once.
async fn make_up(
    bot: &Bot,
    county: CountyId,
    asked: &Asked,
    job: &Job,
    day: NaiveDate,
    outgoing: &Outgoing<'_>,
) -> Result<(), Fault> {
    for left_out in left_out::to_make_up(bot, county, job.name, day, asked).await? {
        run_in(bot, county, job, &Places::Township(left_out.township), day, outgoing).await?;
        left_out::forget(bot, county, left_out).await?;
    }
    Ok(())
}

/// The day of the last time this job was due: today after its hour, yesterday before it.
fn last_time(job: &Job, now: DateTime<FixedOffset>) -> Result<Option<NaiveDate>, Fault> {
    let schedule = Schedule::from_str(job.at).map_err(Fault::unavailable)?;
    let from = now - chrono::TimeDelta::days(2);
    Ok(schedule
        .after(&from)
        .take_while(|time| *time <= now)
        .last()
        .map(|time| shanghai_date(time.with_timezone(&chrono::Utc))))
}

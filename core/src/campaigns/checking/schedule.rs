//! What runs by itself has a time, and one that comes.

use chrono::{NaiveTime, TimeDelta};

use super::{Mistakes, Path};
use crate::{
    calendar::Recurrence,
    campaigns::plan::{Plan, ScheduleEntry, ScheduledRun},
    clock::{shanghai_date, shanghai_instant},
};

pub(super) fn check(plan: &Plan, mistakes: &mut Mistakes) {
    for (index, entry) in plan.schedule.iter().enumerate() {
        let path = Path::of("schedule").index(index);
        match entry.recurrence() {
            Ok(recurrence) => comes(plan, &recurrence, &path, mistakes),
            Err(mistake) => {
                let path = mistake.field.map_or_else(|| path.clone(), |field| path.field(field));
                mistakes.add(path, mistake.sentence);
            }
        }
        if entry.runs == ScheduledRun::MonthlyPosts {
            monthly(plan, entry, &path, mistakes);
        }
    }
}

fn comes(plan: &Plan, recurrence: &Recurrence, path: &Path, mistakes: &mut Mistakes) {
    // The calendar's rules have their day in every month.
    let Recurrence::Cron(times) = recurrence else { return };
    let before = shanghai_instant(plan.starts_on, NaiveTime::MIN) - TimeDelta::seconds(1);
    if times.after(before).next().is_none_or(|time| shanghai_date(time.to_utc()) > plan.ends_on) {
        mistakes.add(path.field("cron"), "在专项行动期间内一次也不会到");
    }
}

/// The post tells about one month.
fn monthly(plan: &Plan, entry: &ScheduleEntry, path: &Path, mistakes: &mut Mistakes) {
    let by_month = entry.cron.is_some() || entry.nth_working_day_of_month.is_some() || entry.day_of_month.is_some();
    if !by_month {
        mistakes.add(path.field("runs"), "月度公示每月一次：请用 day_of_month、nth_working_day_of_month 或 cron");
    }
    if plan.publication.monthly_post_day.is_some() {
        mistakes.add(path.field("runs"), "publication.monthly_post_day 已定了月度公示的日子，只能写一处");
    }
}

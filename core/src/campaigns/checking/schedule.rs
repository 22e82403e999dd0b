//! What runs by itself has a time, and one that comes.

use chrono::{NaiveTime, TimeDelta};

use super::{Mistakes, Path};
use crate::{
    calendar::{OnRestDay, Recurrence},
    campaigns::plan::{Plan, ScheduleEntry, ScheduledRun},
    clock::{shanghai_date, shanghai_instant},
};

/// On a rest day up to this one a day moved ahead may fall into the month before: the longest holiday is nine days.
const LAST_DAY_THAT_LEAVES_AHEAD: u32 = 10;
/// On a rest day from this one on a day put off may fall into the month after: nine days to the end of February.
const FIRST_DAY_THAT_LEAVES_LATE: u32 = 20;

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
    // In another month it would tell about another one, and skip or repeat.
    if let Some(day) = entry.day_of_month {
        match entry.on_rest_day.unwrap_or_default() {
            OnRestDay::Before if day <= LAST_DAY_THAT_LEAVES_AHEAD => {
                let sentence = format!(
                    "{LAST_DAY_THAT_LEAVES_AHEAD}日以前遇休息日提前，可能提前到上个月，会漏掉一个月：请用 after 或 same"
                );
                mistakes.add(path.field("day_of_month"), sentence);
            }
            OnRestDay::After if day >= FIRST_DAY_THAT_LEAVES_LATE => {
                let sentence = format!(
                    "{FIRST_DAY_THAT_LEAVES_LATE}日以后遇休息日顺延，可能延到下个月，会漏掉一个月：请用 before 或 same"
                );
                mistakes.add(path.field("day_of_month"), sentence);
            }
            _ => {}
        }
    }
    if plan.publication.monthly_post_day.is_some() {
        mistakes.add(path.field("runs"), "publication.monthly_post_day 已定了月度公示的日子，只能写一处");
    }
}

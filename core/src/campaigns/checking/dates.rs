//! Dates lie inside the campaign and in order; rhythms name days that exist.

use chrono::NaiveDate;

use super::{Mistakes, Path};
use crate::{
    calendar::CronTimes,
    campaigns::plan::{MonthDay, OnRestDay, Plan, Rhythm},
};

pub(super) fn check(plan: &Plan, mistakes: &mut Mistakes) {
    if plan.ends_on < plan.starts_on {
        mistakes.add(Path::of("ends_on"), format!("结束日期早于开始日期（{}）", plan.starts_on));
        return;
    }
    phases(plan, mistakes);
    for (index, duty) in plan.duties.iter().enumerate() {
        let path = Path::of("duties").index(index);
        rhythm(plan, &duty.rhythm, &path.field("rhythm"), mistakes);
        inside(plan, duty.from, path.field("from"), mistakes);
        inside(plan, duty.until, path.field("until"), mistakes);
        if let (Some(from), Some(until)) = (duty.from, duty.until)
            && until < from
        {
            mistakes.add(path.field("until"), format!("早于 from（{from}）"));
        }
    }
    for (index, evaluation) in plan.evaluations.iter().enumerate() {
        let path = Path::of("evaluations").index(index).field("rhythm");
        rhythm(plan, &evaluation.rhythm, &path, mistakes);
    }
    for (index, list) in plan.lists.iter().enumerate() {
        inside(plan, list.due_on, Path::of("lists").index(index).field("due_on"), mistakes);
    }
    for (index, target) in plan.targets.iter().enumerate() {
        inside(plan, target.due_on, Path::of("targets").index(index).field("due_on"), mistakes);
    }
}

fn phases(plan: &Plan, mistakes: &mut Mistakes) {
    let mut previous: Option<NaiveDate> = None;
    for (index, phase) in plan.phases.iter().enumerate() {
        let path = Path::of("phases").index(index);
        inside(plan, Some(phase.starts_on), path.field("starts_on"), mistakes);
        inside(plan, Some(phase.ends_on), path.field("ends_on"), mistakes);
        if phase.ends_on < phase.starts_on {
            mistakes.add(path.field("ends_on"), format!("阶段的结束日期早于开始日期（{}）", phase.starts_on));
        }
        // The last day of a phase may be the first of the next one.
        if let Some(end) = previous.filter(|end| phase.starts_on < *end) {
            mistakes.add(path.field("starts_on"), format!("与上一阶段重叠（上一阶段到{end}为止）"));
        }
        previous = Some(phase.ends_on);
        for (index, deliverable) in phase.deliverables.iter().enumerate() {
            if let Some(due_on) = deliverable.due_on
                && !(phase.starts_on <= due_on && due_on <= phase.ends_on)
            {
                let path = path.field("deliverables").index(index).field("due_on");
                mistakes.add(path, format!("不在本阶段内（{}至{}）", phase.starts_on, phase.ends_on));
            }
        }
    }
}

fn inside(plan: &Plan, date: Option<NaiveDate>, path: Path, mistakes: &mut Mistakes) {
    if date.is_some_and(|date| date < plan.starts_on || date > plan.ends_on) {
        mistakes.add(path, format!("不在专项行动期间内（{}至{}）", plan.starts_on, plan.ends_on));
    }
}

fn rhythm(plan: &Plan, rhythm: &Rhythm, path: &Path, mistakes: &mut Mistakes) {
    match rhythm {
        Rhythm::Once { due_on, .. } => inside(plan, Some(*due_on), path.field("due_on"), mistakes),
        Rhythm::Month { on } | Rhythm::Quarter { on, .. } | Rhythm::HalfYear { on, .. } | Rhythm::Year { on, .. } => {
            month_day(on, &path.field("on"), mistakes);
        }
        Rhythm::Cron { expression } => {
            if let Err(fault) = CronTimes::parse(expression) {
                mistakes.add(path.field("expression"), fault.to_string());
            }
        }
        Rhythm::Case { limit } if limit.days == 0 => mistakes.add(path.field("limit").field("days"), "至少要有1天"),
        Rhythm::Week { .. } | Rhythm::HalfMonth { .. } | Rhythm::Case { .. } | Rhythm::Standing => {}
    }
}

fn month_day(on: &MonthDay, path: &Path, mistakes: &mut Mistakes) {
    match (on.day, on.working_day) {
        (None, None) => mistakes.add(path.clone(), "要写 day（几号）或 working_day（第几个工作日）"),
        (Some(_), Some(_)) => mistakes.add(path.field("working_day"), "day 和 working_day 只能写一个"),
        (None, Some(_)) if on.on_rest_day != OnRestDay::default() => {
            mistakes.add(path.field("on_rest_day"), "只有写了 day 才有意义：工作日不会遇到休息日");
        }
        _ => {}
    }
}

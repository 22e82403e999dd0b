//! Weights, ladders and limits.

use super::{Mistakes, Path};
use crate::{
    calendar::{Limit, LimitUnit},
    campaigns::plan::Plan,
    complaints::ClockRules,
    sealed_surveys::questionnaires,
};

pub(super) fn check(plan: &Plan, mistakes: &mut Mistakes) {
    weights(plan, mistakes);
    acceptance(plan, mistakes);
    ladder(plan, mistakes);
    reminders(plan, mistakes);
    limits(plan, mistakes);
    if plan.satisfaction.satisfied_share <= 0.5 {
        mistakes.add(Path::of("satisfaction").field("satisfied_share"), "满意率门槛必须过半：不满意不销号");
    }
}

fn weights(plan: &Plan, mistakes: &mut Mistakes) {
    for (index, evaluation) in plan.evaluations.iter().enumerate() {
        let path = Path::of("evaluations").index(index);
        if let Some(key) = &evaluation.questionnaire
            && questionnaires::find(key).is_none()
        {
            mistakes.add(path.field("questionnaire"), format!("没有名为“{key}”的测评问卷"));
        }
        let electorates = path.field("electorates");
        sum_to_one(evaluation.electorates.iter().map(|group| group.weight), &electorates, mistakes);
        let mut seen = Vec::new();
        for (index, electorate) in evaluation.electorates.iter().enumerate() {
            if seen.contains(&electorate.group) {
                mistakes.add(electorates.index(index).field("group"), "同一类参评人写了两次");
            }
            seen.push(electorate.group);
        }
        if !evaluation.dimensions.is_empty() {
            let weights = evaluation.dimensions.iter().map(|dimension| dimension.weight);
            sum_to_one(weights, &path.field("dimensions"), mistakes);
        }
        let mut seen = Vec::new();
        for (index, level) in evaluation.scale.iter().enumerate() {
            if seen.contains(&level) {
                mistakes.add(path.field("scale").index(index), format!("等次“{level}”写了两次"));
            }
            seen.push(level);
        }
    }
    if let Some(assessment) = &plan.assessment {
        let weights = assessment.parts.iter().map(|part| part.weight);
        sum_to_one(weights, &Path::of("assessment").field("parts"), mistakes);
    }
}

fn sum_to_one(weights: impl Iterator<Item = f64>, path: &Path, mistakes: &mut Mistakes) {
    // Weights are written with a few decimals; their sum as floating-point numbers is not exact.
    const TOLERANCE: f64 = 1e-6;
    let sum: f64 = weights.sum();
    if (sum - 1.0).abs() > TOLERANCE {
        mistakes.add(path.clone(), format!("权重之和应为1，现在是{}", (sum * 1e6).round() / 1e6));
    }
}

fn acceptance(plan: &Plan, mistakes: &mut Mistakes) {
    for (index, pair) in plan.acceptance.windows(2).enumerate() {
        if pair[1].level <= pair[0].level {
            let path = Path::of("acceptance").index(index + 1).field("level");
            mistakes.add(path, "验收链要从村到市逐级向上，每级一次");
        }
    }
    for (index, step) in plan.acceptance.iter().enumerate() {
        if step.sample_rate <= 0.0 {
            let path = Path::of("acceptance").index(index).field("sample_rate");
            mistakes.add(path, "抽查比例为0等于不验收");
        }
    }
}

fn ladder(plan: &Plan, mistakes: &mut Mistakes) {
    for (index, pair) in plan.escalation.windows(2).enumerate() {
        let path = Path::of("escalation").index(index + 1);
        if pair[1].overdue_days <= pair[0].overdue_days {
            let before = pair[0].overdue_days;
            mistakes.add(path.field("overdue_days"), format!("超期天数要逐级增加（上一级是{before}天）"));
        }
        if pair[1].step <= pair[0].step {
            let before = pair[0].step.label();
            mistakes.add(path.field("step"), format!("督办要逐级加重，不能在“{before}”之后"));
        }
    }
}

fn reminders(plan: &Plan, mistakes: &mut Mistakes) {
    let path = Path::of("reminders").field("days_before");
    for (index, days) in plan.reminders.days_before.iter().enumerate() {
        if *days == 0 {
            mistakes.add(path.index(index), "当天提醒请用 on_the_day");
        }
    }
    for (index, pair) in plan.reminders.days_before.windows(2).enumerate() {
        if pair[1] >= pair[0] {
            mistakes.add(path.index(index + 1), format!("提前天数要由远到近（上一次是{}天）", pair[0]));
        }
    }
}

fn limits(plan: &Plan, mistakes: &mut Mistakes) {
    let law = ClockRules::default();
    let path = Path::of("complaints");
    not_longer(plan.complaints.acceptance, law.acceptance, &path.field("acceptance"), mistakes);
    not_longer(plan.complaints.grievance, law.grievance, &path.field("grievance"), mistakes);
    let extension = path.field("extension");
    if plan.complaints.extension.most > 1 {
        mistakes.add(extension.field("most"), "《信访工作条例》第三十四条：只能延期一次");
    }
    if plan.complaints.extension.longest_days > 30 {
        mistakes.add(extension.field("longest_days"), "《信访工作条例》第三十四条：延长不超过30日");
    }
}

/// Plans may be stricter than the law, never laxer.
fn not_longer(limit: Limit, law: Limit, path: &Path, mistakes: &mut Mistakes) {
    if limit.days == 0 {
        mistakes.add(path.field("days"), "至少要有1天");
    }
    // Working days are counted against the law's calendar days at five to seven.
    let calendar_days = match limit.unit {
        LimitUnit::CalendarDays => limit.days,
        LimitUnit::WorkingDays => limit.days.saturating_mul(7) / 5,
    };
    if calendar_days > law.days {
        mistakes.add(path.field("days"), format!("不能比《信访工作条例》的{}日更长", law.days));
    }
}

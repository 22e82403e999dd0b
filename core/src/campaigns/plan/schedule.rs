use std::str::FromStr as _;

use chrono::{NaiveTime, Timelike as _};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    calendar::{CronTimes, OnRestDay, Recurrence, RunDays},
    outbox::{QUIET_FROM, QUIET_UNTIL},
};

/// Something that the bot does for the campaign again and again (定期事项), and when: either `cron`, or `at` with one of the
/// rules of the working-day calendar.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleEntry {
    #[schemars(regex(pattern = r"^[a-z][a-z0-9_]*$"))]
    pub key: String,
    pub runs: ScheduledRun,
    /// `minute hour day month weekday`, Beijing time, weekdays by their English names; once an hour at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cron: Option<String>,
    /// On every working day.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub working_days: bool,
    /// Of each week (from Monday), counted from its end where negative; a week that has fewer has its last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -7, max = 7))]
    pub nth_working_day_of_week: Option<i32>,
    /// Of each month, counted from its end where negative; a month that has fewer has its last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -23, max = 23))]
    pub nth_working_day_of_month: Option<i32>,
    /// A month that is shorter takes its last day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 31))]
    pub day_of_month: Option<u32>,
    /// Only with `day_of_month`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_rest_day: Option<OnRestDay>,
    /// `HH:MM`, Beijing time, between the quiet hours; not with `cron`, which has its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScheduledRun {
    /// Reminders of deadlines and what is overdue; instead of every day at ten past eight.
    Reminders,
    /// Each village group's post about the month before; instead of the first working day at nine.
    MonthlyPosts,
    /// How many matters are due until the next time, overdue, and being done again because residents were dissatisfied; to the
    /// township office and the township's leaders (调度提示).
    Summary,
}

impl ScheduledRun {
    /// Whether it is done once for a township, however many campaigns run there; a summary is each campaign's own.
    #[must_use]
    pub fn is_for_the_whole_township(self) -> bool {
        match self {
            Self::Reminders | Self::MonthlyPosts => true,
            Self::Summary => false,
        }
    }

    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Reminders => "期限提醒和超期督办",
            Self::MonthlyPosts => "村群月度公示",
            Self::Summary => "调度提示：到期、超期、返工件数",
        }
    }
}

/// Why an entry names no time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleMistake {
    /// The field that is wrong; none where one is missing.
    pub field: Option<&'static str>,
    pub sentence: String,
}

fn mistake(field: impl Into<Option<&'static str>>, sentence: impl Into<String>) -> ScheduleMistake {
    ScheduleMistake { field: field.into(), sentence: sentence.into() }
}

impl ScheduleEntry {
    /// When it runs.
    ///
    /// # Errors
    /// [`ScheduleMistake`]; never for a plan that was checked.
    pub fn recurrence(&self) -> Result<Recurrence, ScheduleMistake> {
        let on_rest_day = self.on_rest_day.unwrap_or_default();
        let rules = [
            self.working_days.then_some(("working_days", RunDays::EveryWorkingDay)),
            self.nth_working_day_of_week.map(|nth| ("nth_working_day_of_week", RunDays::WorkingDayOfWeek(nth))),
            self.nth_working_day_of_month.map(|nth| ("nth_working_day_of_month", RunDays::WorkingDayOfMonth(nth))),
            self.day_of_month.map(|day| ("day_of_month", RunDays::DayOfMonth { day, on_rest_day })),
        ];
        let mut rules = rules.into_iter().flatten();
        let rule = rules.next();
        if let Some((second, _)) = rules.next().or(rule.filter(|_| self.cron.is_some())) {
            return Err(mistake(second, "什么时候办只能写一种：cron 或一条日历规则"));
        }
        if self.on_rest_day.is_some() && self.day_of_month.is_none() {
            return Err(mistake("on_rest_day", "只有写了 day_of_month 才有意义"));
        }
        match (rule, &self.cron) {
            (Some((field, days)), _) => {
                if matches!(days, RunDays::WorkingDayOfWeek(0) | RunDays::WorkingDayOfMonth(0)) {
                    return Err(mistake(field, "没有第0个工作日：正数从头数，负数从末尾数"));
                }
                Ok(Recurrence::On { days, at: self.time()? })
            }
            (None, Some(_)) if self.at.is_some() => Err(mistake("at", "cron 里已有时刻，不用再写 at")),
            (None, Some(expression)) => Ok(Recurrence::Cron(Box::new(cron_times(expression)?))),
            (None, None) => Err(mistake(None, "要写什么时候办：cron，或 working_days 等一条日历规则加 at")),
        }
    }

    fn time(&self) -> Result<NaiveTime, ScheduleMistake> {
        let Some(text) = &self.at else { return Err(mistake(None, "要写几点办：at = \"08:30\"")) };
        let time = (text.len() == 5).then(|| NaiveTime::from_str(text).ok()).flatten();
        let time = time.ok_or_else(|| mistake("at", "时刻要写成 08:30 这样"))?;
        if is_quiet(time.hour()) { Err(mistake("at", quiet_hours())) } else { Ok(time) }
    }

    /// When it runs, in words.
    #[must_use]
    pub fn words(&self) -> String {
        let nth = |nth: i32| match nth {
            -1 => "最后1个工作日".to_owned(),
            ..0 => format!("倒数第{}个工作日", nth.unsigned_abs()),
            _ => format!("第{nth}个工作日"),
        };
        let days = match (&self.cron, self.nth_working_day_of_week, self.nth_working_day_of_month, self.day_of_month) {
            (Some(expression), ..) => return format!("cron {expression}"),
            (_, Some(week), ..) => format!("每周{}", nth(week)),
            (_, _, Some(month), _) => format!("每月{}", nth(month)),
            (.., Some(day)) => {
                let moved = match self.on_rest_day.unwrap_or_default() {
                    OnRestDay::After => "，遇休息日顺延",
                    OnRestDay::Before => "，遇休息日提前",
                    OnRestDay::Same => "",
                };
                format!("每月{day}日{moved}")
            }
            _ => "每个工作日".into(),
        };
        format!("{days} {}", self.at.as_deref().unwrap_or_default())
    }
}

fn cron_times(expression: &str) -> Result<CronTimes, ScheduleMistake> {
    let times = CronTimes::parse(expression).map_err(|fault| mistake("cron", fault.to_string()))?;
    if !times.is_hourly_at_most() {
        return Err(mistake("cron", "最多每小时一次：分钟只能写一个数"));
    }
    if times.hours().any(is_quiet) {
        return Err(mistake("cron", quiet_hours()));
    }
    Ok(times)
}

fn is_quiet(hour: u32) -> bool {
    !(QUIET_UNTIL..QUIET_FROM).contains(&hour)
}

fn quiet_hours() -> String {
    format!("{QUIET_FROM}点到次日{QUIET_UNTIL}点不打扰人，时刻要在{QUIET_UNTIL}点到{QUIET_FROM}点之间")
}

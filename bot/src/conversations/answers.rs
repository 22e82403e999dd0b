//! What a member of staff writes after a button that wants a reason: a new date, or why it is not his. Kept in the cache for a
//! day; the words themselves go where the request goes, and nowhere else.

use std::time::Duration;

use chrono::{Datelike as _, Days, NaiveDate};
use qingfeng_core::{
    acknowledgements,
    cache::Cache,
    clock::shanghai_date,
    complaints::{queries as complaints, service},
    deadlines::entity::deadlines,
    ids::{CountyId, OrganizationId},
    people::Actor,
    refusal::Fault,
    storage::{Command, Store},
    subject::SubjectRef,
};
use sea_orm::EntityTrait;
use serde::{Deserialize, Serialize};

use super::{Key, Task, taps, wish::half_width};

/// A button that is tapped in the evening is asked about in the morning.
const PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);

/// What is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Wanted {
    MoreTime,
    NotMine,
}

impl Wanted {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::MoreTime => "more_time",
            Self::NotMine => "not_mine",
        }
    }
}

/// A button that waits for words.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Question {
    pub(super) wanted: Wanted,
    pub(super) task: Task,
    /// With which the card is changed when it is answered.
    pub(super) response_code: String,
}

fn key(user_id: &str) -> String {
    format!("wecom_answer:{}", user_id.to_lowercase())
}

/// From now on the next words of this person answer this.
pub(super) async fn expect(cache: &dyn Cache, user_id: &str, question: &Question) -> Result<(), Fault> {
    let state = serde_json::to_vec(question).map_err(Fault::unavailable)?;
    cache.set(&key(user_id), &state, PATIENCE).await
}

/// What the person is expected to write about.
pub(super) async fn expected(cache: &dyn Cache, user_id: &str) -> Result<Option<Question>, Fault> {
    Ok(cache.get(&key(user_id)).await?.and_then(|state| serde_json::from_slice(&state).ok()))
}

pub(super) async fn forget(cache: &dyn Cache, user_id: &str) -> Result<(), Fault> {
    cache.remove(&key(user_id)).await
}

/// What a task is about.
pub(super) struct Matter {
    pub(super) subject: SubjectRef,
    pub(super) title: String,
    pub(super) township: Option<OrganizationId>,
}

/// None for what the person may not know of, and for what is gone.
pub(super) async fn matter(store: &Store, actor: &Actor, task: Task) -> Result<Option<Matter>, Fault> {
    match task {
        Task::Post(_) => Ok(None),
        Task::Complaint(id) => match complaints::detail(store, actor, id).await {
            Ok(seen) => Ok(Some(Matter {
                subject: id.into(),
                title: seen.complaint.title,
                township: Some(seen.complaint.township_id),
            })),
            Err(Fault::Refused(_)) => Ok(None),
            Err(fault) => Err(fault),
        },
        Task::Deadline(id) => {
            if !acknowledgements::may_answer(store, actor, id).await? {
                return Ok(None);
            }
            let row = deadlines::Entity::find_by_id(id).one(store.reader()).await?;
            Ok(row.map(|row| Matter {
                subject: SubjectRef { kind: row.subject_kind, id: row.subject_id },
                title: row.subject_title,
                township: row.township_id,
            }))
        }
    }
}

/// Does what was written; says what came of it. A text that does not do leaves the question open.
pub(super) async fn take(
    store: &Store,
    cache: &dyn Cache,
    user_id: &str,
    (county, actor): (CountyId, &Actor),
    question: &Question,
    text: &str,
) -> Result<String, Fault> {
    let command = Command::by(actor);
    let done = match (question.wanted, question.task) {
        (Wanted::MoreTime, Task::Deadline(id)) => {
            let today = shanghai_date(store.clock().now());
            let due_on = deadlines::Entity::find_by_id(id).one(store.reader()).await?.and_then(|row| row.due_on);
            let Some((new_due_on, reason)) = date_and_reason(text, due_on.unwrap_or(today), today) else {
                return Ok("没看懂日期。请写新的日期和理由，例如：3月20日，等材料到货。不延了发“取消”。".into());
            };
            if reason.is_empty() {
                return Ok("还缺理由。请把日期和理由写在一起，例如：3月20日，等材料到货。不延了发“取消”。".into());
            }
            let asked = acknowledgements::more_time(store, &command, county, id, new_due_on, &reason).await;
            asked.map(|()| format!("已申请延期到{}，等上级审批，批没批都会告诉您。", new_due_on.format("%-m月%-d日")))
        }
        (Wanted::NotMine, Task::Deadline(id)) => acknowledgements::not_mine(store, &command, county, id, text)
            .await
            .map(|_| "已转告镇专项行动办。没有改派之前，期限照算。".to_owned()),
        (Wanted::NotMine, Task::Complaint(id)) => service::return_back(store, &command, county, id, text)
            .await
            .map(|_| "已退回镇专项行动办，由镇里重新交办。".to_owned()),
        _ => Ok("这一步请打开卡片办理。".into()),
    };
    match done {
        Ok(said) => {
            let done = match question.wanted {
                Wanted::MoreTime => Key::MoreTime.done(),
                Wanted::NotMine => Key::NotMine.done(),
            };
            taps::say(store, county, user_id, &question.response_code, done).await?;
            forget(cache, user_id).await?;
            Ok(said)
        }
        Err(Fault::Refused(refusal)) => {
            let details: String = refusal.fields.iter().map(|field| field.sentence.as_str()).collect();
            Ok(format!("{}{details}\n可以再写一次，或发“取消”。", refusal.sentence))
        }
        Err(fault) => Err(fault),
    }
}

/// `3月20日，等材料`, `2026-03-20 等材料`, `5天 等材料` (so many days more), in whichever order.
fn date_and_reason(text: &str, due_on: NaiveDate, today: NaiveDate) -> Option<(NaiveDate, String)> {
    let plain: String = text.chars().map(half_width).collect();
    let (date, before, after) = find_date(&plain, due_on, today)?;
    let clean = |part: &str| {
        let filling = |letter: char| letter.is_whitespace() || ",.;:，。；：、!！".contains(letter);
        part.trim_matches(filling).to_owned()
    };
    let opening = clean(before);
    let opening = ["申请延期到", "申请延到", "延期到", "延到", "申请延期", "延期", "延", "到", "再给", "要"]
        .iter()
        .find_map(|word| opening.strip_suffix(word))
        .map_or(opening.clone(), clean);
    let reason = [opening, clean(after)].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("，");
    Some((date, reason))
}

/// The first date in a text, and what stands around it.
fn find_date(text: &str, due_on: NaiveDate, today: NaiveDate) -> Option<(NaiveDate, &str, &str)> {
    for (start, _) in text.char_indices().filter(|(_, letter)| letter.is_ascii_digit()) {
        if text[..start].ends_with(|letter: char| letter.is_ascii_digit()) {
            continue;
        }
        let (numbers, marks, rest) = figures(&text[start..]);
        let date = match (numbers.as_slice(), marks.as_slice()) {
            ([year, month, day], ["年", "月", "日" | "号"] | ["-", "-", ""] | ["/", "/", ""] | [".", ".", ""]) => {
                NaiveDate::from_ymd_opt(i32::try_from(*year).ok()?, *month, *day)
            }
            ([month, day, ..], ["月", "日" | "号", ..]) => next(*month, *day, today),
            ([days], ["天"]) => due_on.checked_add_days(Days::new((*days).into())),
            _ => None,
        };
        if let Some(date) = date {
            return Some((date, &text[..start], rest));
        }
    }
    None
}

/// That day of this year, or of the next when it is over.
fn next(month: u32, day: u32, today: NaiveDate) -> Option<NaiveDate> {
    let this_year = NaiveDate::from_ymd_opt(today.year(), month, day)?;
    if this_year < today { NaiveDate::from_ymd_opt(today.year() + 1, month, day) } else { Some(this_year) }
}

/// Up to three numbers, the mark after each, and what follows.
fn figures(mut text: &str) -> (Vec<u32>, Vec<&str>, &str) {
    let (mut numbers, mut marks) = (Vec::new(), Vec::new());
    while numbers.len() < 3 {
        let digits = text.len() - text.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
        let Ok(number) = text[..digits].parse() else { break };
        text = &text[digits..];
        let mark = ["年", "月", "日", "号", "天", "-", "/", "."].into_iter().find(|mark| text.starts_with(mark));
        numbers.push(number);
        marks.push(mark.unwrap_or_default());
        text = &text[mark.unwrap_or_default().len()..];
        if matches!(mark, None | Some("日" | "号" | "天")) {
            break;
        }
    }
    (numbers, marks, text)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("3月20日，等材料到货", Some(("2026-03-20", "等材料到货")))]
    #[case("申请延期到3月20号 等材料", Some(("2026-03-20", "等材料")))]
    #[case("等材料，延到2026-03-20。", Some(("2026-03-20", "等材料")))]
    #[case("２０２６年３月２０日等三号机到", Some(("2026-03-20", "等三号机到")))]
    #[case("再给5天，下雨", Some(("2026-03-15", "下雨")))]
    #[case("延5天", Some(("2026-03-15", "")))]
    // Over already: next year's.
    #[case("1月5日 过完年", Some(("2027-01-05", "过完年")))]
    #[case("换了3盏灯，3月20日前全换完", Some(("2026-03-20", "换了3盏灯，前全换完")))]
    #[case("2月30日 没有这一天", None)]
    #[case("等材料", None)]
    #[case("", None)]
    #[case("99999999999999天", None)]
    fn people_write_dates_and_reasons(#[case] text: &str, #[case] expected: Option<(&str, &str)>) {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let found = date_and_reason(text, day("2026-03-10"), day("2026-03-02"));
        assert_eq!(found, expected.map(|(date, reason)| (day(date), reason.to_owned())));
    }
}

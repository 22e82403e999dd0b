//! What a member of staff writes after a button that wants words: a new date, or why it is not his. The words go where the
//! request goes, and nowhere else.

use chrono::{Datelike as _, Days, NaiveDate};
use qingfeng_core::{
    acknowledgements,
    clock::shanghai_date,
    complaints::{queries as complaints, service},
    deadlines::entity::deadlines,
    ids::{CountyId, OrganizationId},
    people::Actor,
    refusal::{Fault, RefusalKind},
    storage::{Command, Store},
    subject::SubjectRef,
};
use sea_orm::EntityTrait;

use super::{
    Task, Wish, filing,
    open_questions::{Held, OpenQuestions, Question, Wanted},
    taps,
    wish::half_width,
};

/// Lines of a list in a chat, and as many as there are numbers that people answer with.
const LISTED: usize = 9;

/// Who writes: his name at WeCom, his county, and what he may do.
pub(super) struct Writer<'a> {
    pub(super) user_id: &'a str,
    pub(super) county: CountyId,
    pub(super) actor: &'a Actor,
}

/// What to say to words that may answer an open question; none when nothing is open or they have nothing to do with it.
///
/// # Errors
/// When the database or the cache does not answer.
pub(super) async fn reply(
    store: &Store,
    questions: &OpenQuestions<'_>,
    writer: &Writer<'_>,
    wish: &Wish,
    text: &str,
) -> Result<Option<String>, Fault> {
    let open = questions.open().await?;
    if open.is_empty() {
        return Ok(None);
    }
    let held = questions.held().await?;
    let said = match wish {
        Wish::Cancel => cancelled(questions, &open, held.as_ref()).await?,
        Wish::Courtesy => format!("卡片上问您的还没有答。{}", asked(&open)),
        Wish::Choice(number) => match (open.get(number - 1), held) {
            (None, _) => format!("没有这个号。{}", asked(&open)),
            (Some(question), Some(Held::Words(words))) => {
                take(store, questions, writer, &open, question, &words).await?
            }
            (Some(question), _) => {
                questions.hold(&Held::Chosen(question.wanted, question.task)).await?;
                question.prompt()
            }
        },
        // A number among other words may belong to the reason.
        Wish::Complaint(number) | Wish::Item(number) if filing::is_hardly_more_than(text, number) => return Ok(None),
        Wish::Other | Wish::Complaint(_) | Wish::Item(_) => match meant(&open, held.as_ref()) {
            Some(question) => take(store, questions, writer, &open, question, text).await?,
            None => {
                questions.hold(&Held::Words(text.to_owned())).await?;
                format!("您写的是答哪一件？{}", asked(&open))
            }
        },
        _ => return Ok(None),
    };
    Ok(Some(said))
}

/// The question that words answer: the only one, or the one that was named.
fn meant<'a>(open: &'a [Question], held: Option<&Held>) -> Option<&'a Question> {
    match (open, held) {
        ([only], _) => Some(only),
        (_, Some(Held::Chosen(wanted, task))) => {
            open.iter().find(|question| (question.wanted, question.task) == (*wanted, *task))
        }
        _ => None,
    }
}

/// What is open, with the number to answer with where there is a choice.
fn asked(open: &[Question]) -> String {
    match open {
        [only] => only.prompt(),
        _ => {
            let lines = open.iter().take(LISTED).enumerate();
            let lines: String = lines.map(|(place, one)| format!("\n{} {}", place + 1, one.name())).collect();
            format!("请回数字：{lines}\n都不办了发“取消”。")
        }
    }
}

/// The one that was named is given up, or all of them.
async fn cancelled(questions: &OpenQuestions<'_>, open: &[Question], held: Option<&Held>) -> Result<String, Fault> {
    let given_up: Vec<&Question> = match meant(open, held) {
        Some(question) => vec![question],
        None => open.iter().collect(),
    };
    for question in &given_up {
        questions.close(question).await?;
    }
    let names: Vec<String> = given_up.iter().map(|question| question.name()).collect();
    let left: Vec<Question> = open.iter().filter(|one| !given_up.contains(one)).cloned().collect();
    let rest = if left.is_empty() { String::new() } else { format!("\n{}", asked(&left)) };
    Ok(format!("好的，没有提交：{}。要办再点一次卡片上的按钮。{rest}", names.join("、")))
}

/// Does what was written; says what came of it, and of what. A text that does not do leaves the question open.
async fn take(
    store: &Store,
    questions: &OpenQuestions<'_>,
    writer: &Writer<'_>,
    open: &[Question],
    question: &Question,
    text: &str,
) -> Result<String, Fault> {
    let done = match settled(store, writer, question, text).await? {
        Settled::Done(said) => {
            let done = question.wanted.button().done();
            taps::say(store, writer.county, writer.user_id, &question.response_code, done).await?;
            said
        }
        // The card keeps its other buttons.
        Settled::Over(said) => said,
        Settled::Again(said) => {
            questions.hold(&Held::Chosen(question.wanted, question.task)).await?;
            return Ok(format!("{}：{said}", question.name()));
        }
    };
    questions.close(question).await?;
    let left: Vec<Question> = open.iter().filter(|other| !other.is_same(question)).cloned().collect();
    let rest = if left.is_empty() { String::new() } else { format!("\n还有没答的。{}", asked(&left)) };
    Ok(format!("{}：{done}{rest}", question.name()))
}

/// What came of an answer.
enum Settled {
    Done(String),
    /// It cannot be done any more.
    Over(String),
    /// It has to be written once more.
    Again(String),
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

async fn settled(store: &Store, writer: &Writer<'_>, question: &Question, text: &str) -> Result<Settled, Fault> {
    let (command, county) = (Command::by(writer.actor), writer.county);
    let done = match (question.wanted, question.task) {
        (Wanted::MoreTime, Task::Deadline(id)) => {
            let today = shanghai_date(store.clock().now());
            let due_on = deadlines::Entity::find_by_id(id).one(store.reader()).await?.and_then(|row| row.due_on);
            let Some((new_due_on, reason)) = date_and_reason(text, due_on.unwrap_or(today), today) else {
                let said = "没看懂日期。请写新的日期和理由，例如：3月20日，等材料到货。不延了发“取消”。";
                return Ok(Settled::Again(said.into()));
            };
            if reason.is_empty() {
                let said = "还缺理由。请把日期和理由写在一起，例如：3月20日，等材料到货。不延了发“取消”。";
                return Ok(Settled::Again(said.into()));
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
        _ => return Ok(Settled::Over("这一步请打开卡片办理。".into())),
    };
    match done {
        Ok(said) => Ok(Settled::Done(said)),
        Err(Fault::Refused(refusal)) => {
            let details: String = refusal.fields.iter().map(|field| field.sentence.as_str()).collect();
            let said = format!("{}{details}", refusal.sentence);
            Ok(match refusal.kind {
                RefusalKind::Conflict | RefusalKind::Forbidden | RefusalKind::NotFound => Settled::Over(said),
                _ => Settled::Again(format!("{said}\n可以再写一次，或发“取消”。")),
            })
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

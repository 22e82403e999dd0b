use std::time::Duration;

use qingfeng_core::{
    ids::SurveyId,
    people::{Actor, Resident},
    refusal::Fault,
    surveys::{self, Question},
};
use serde::{Deserialize, Serialize};

use super::{Conversations, Wish, opinion::Known, suspicion, wish::plain};

/// Who does not go on within half an hour begins anew; nothing of it is left.
const PATIENCE: Duration = Duration::from_secs(30 * 60);
/// What the answers so far are sealed as: the introduction promises that nobody keeps who chose what, and the cache is no
/// exception for half an hour.
const PURPOSE: &str = "chat survey";

/// Said to words that are no option of the question.
const BESIDE: &str = "没看懂，请回数字作答。不答了发“取消”，要反映一件事发“反映”。\n";

/// How far somebody has come. It leaves the cache with the last answer.
#[derive(Serialize, Deserialize)]
pub(super) struct Progress {
    survey: SurveyId,
    choices: Vec<usize>,
}

fn key(conversations: &Conversations, resident: &Resident) -> String {
    conversations.sealer.pseudonym("survey", &resident.id.to_string())
}

/// How far the resident has come in a survey.
pub(super) async fn progress(conversations: &Conversations, resident: &Resident) -> Result<Option<Progress>, Fault> {
    let sealed = conversations.cache.get(&key(conversations, resident)).await?;
    let open = sealed.and_then(|sealed| conversations.sealer.open(PURPOSE, &sealed).ok());
    Ok(open.and_then(|open| serde_json::from_slice(&open).ok()))
}

pub(super) async fn forget(conversations: &Conversations, resident: &Resident) -> Result<(), Fault> {
    conversations.cache.remove(&key(conversations, resident)).await
}

/// The choice that is meant by words: an option of the question that is open, written out.
pub(super) async fn choice_in_words(
    conversations: &Conversations,
    resident: &Resident,
    progress: Option<&Progress>,
    wish: &Wish,
    text: &str,
) -> Result<Option<Wish>, Fault> {
    let Some(progress) = progress.filter(|_| is_words(wish)) else { return Ok(None) };
    let open = surveys::open_for(&conversations.store, resident).await?;
    let Some((_, questions)) = open.filter(|(survey, _)| survey.id == progress.survey) else { return Ok(None) };
    let question = questions.get(progress.choices.len());
    Ok(question.and_then(|question| meant(question, text)).map(Wish::Choice))
}

/// Words that answer a question or nothing.
fn is_words(wish: &Wish) -> bool {
    matches!(wish, Wish::Other | Wish::Courtesy)
}

/// The number of the option that a text names, from 1: 没有, 2没有.
fn meant(question: &Question, text: &str) -> Option<usize> {
    let said = plain(text);
    let is_said = |(number, label): &(usize, &String)| {
        let label = plain(label);
        said == label || said == format!("{number}{label}")
    };
    (1..).zip(&question.choices).find(is_said).map(|(number, _)| number)
}

/// Begins a survey or goes on with it; none when the wish has nothing to do with one.
pub(super) async fn go_on(
    conversations: &Conversations,
    resident: &Resident,
    wish: &Wish,
    text: &str,
    kept: Option<Progress>,
    known: &Known,
) -> Result<Option<String>, Fault> {
    let key = key(conversations, resident);
    let cache = &conversations.cache;
    // What may be a report is asked about also in the middle of a survey.
    let is_beside = kept.is_some() && is_words(wish) && !suspicion::is_doubtful(text, &known.in_office);
    if !is_beside && !matches!(wish, Wish::Survey | Wish::Choice(_) | Wish::Cancel) {
        return Ok(None);
    }
    if *wish == Wish::Cancel {
        cache.remove(&key).await?;
        return Ok(kept.map(|_| "已退出，您选过的都没有保存。想再答，发“问卷”。".into()));
    }
    let mut note = String::new();
    if *wish == Wish::Survey && !known.boxes.titles.is_empty() {
        note = format!("{}\n", conversations.leads_to(&known.boxes.titles));
    }
    let Some((survey, questions)) = surveys::open_for(&conversations.store, resident).await? else {
        cache.remove(&key).await?;
        if is_beside {
            return Ok(None);
        }
        if !note.is_empty() {
            return Ok(Some(note.trim_end().to_owned()));
        }
        return Ok(Some("现在没有您可以答的问卷。发“进度”可以看您反映的事。".into()));
    };
    let kept = kept.filter(|kept| kept.survey == survey.id);
    let begun = kept.is_some();
    if is_beside && !begun {
        return Ok(None);
    }
    let mut progress = kept.unwrap_or(Progress { survey: survey.id, choices: Vec::new() });
    match wish {
        Wish::Choice(number) if begun => match questions.get(progress.choices.len()) {
            Some(question) if *number <= question.choices.len() => progress.choices.push(number - 1),
            _ => note = "没有这个选项，请再选一次。\n".into(),
        },
        _ if is_beside => note = BESIDE.into(),
        // A number without a question is a beginning, too: the invitation may have been read as one.
        _ => note += &introduction(&survey.title),
    }
    if progress.choices.len() < questions.len() {
        let state = serde_json::to_vec(&progress).map_err(Fault::unavailable)?;
        let sealed = conversations.sealer.seal(PURPOSE, &state, conversations.store.randomness());
        cache.set(&key, &sealed, PATIENCE).await?;
        return Ok(Some(note + &asked(&questions, progress.choices.len())));
    }
    let done =
        surveys::answer(&conversations.store, &Actor::Resident(resident.clone()), survey.id, progress.choices).await;
    cache.remove(&key).await?;
    match done {
        Ok(()) => Ok(Some("收到，谢谢！问卷结束以后在村民群里公布结果。您可以删掉这段聊天。".into())),
        Err(Fault::Refused(refusal)) => Ok(Some(refusal.sentence)),
        Err(fault) => Err(fault),
    }
}

fn introduction(title: &str) -> String {
    format!(
        "问卷：{title}\n在聊天里答是最低一级的保护（0级）：微信和运行本号的单位看得到您写的，所以只问修路、用水这类事。\n保护：我们只记每个选项有几个人选，不记谁选的、什么时候选的；答的人太少就不公布。\n\
         不能保护：微信平台和拿到您手机的人看得到这段聊天，答完可以删掉；我们会记您答过，防止重复答。\n\
         回数字作答，发“取消”退出。\n"
    )
}

fn asked(questions: &[Question], number: usize) -> String {
    let question = &questions[number];
    let choices = question.choices.iter().enumerate().map(|(choice, label)| format!("\n{} {label}", choice + 1));
    format!("第{}题（共{}题）{}{}", number + 1, questions.len(), question.text, choices.collect::<String>())
}

//! Messages into groups with outside WeChat users: a task that a member has to confirm on his phone.

use std::collections::{BTreeMap, HashMap};

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Datelike, Days, Months, NaiveDate, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::attachments::Attachment;
use crate::{
    Sandbox,
    answer::{Parameters, Refused, answer_with_lists, refused},
    groups::GroupKind,
    journal::{Content, Platform, Recipient},
    limits::beijing_day,
    state::State,
};

const TEXT_BYTES: usize = 4000;
const CHATS: usize = 2000;
const ATTACHMENTS: usize = 9;
/// How often a member may be reminded of a task, and within which time.
const REMINDERS: usize = 3;
const REMINDED_WITHIN: TimeDelta = TimeDelta::hours(24);

/// Tasks by their id, and how many messages each group got in a month.
#[derive(Default)]
pub(crate) struct GroupTasks {
    tasks: BTreeMap<String, Task>,
    received: HashMap<(String, NaiveDate), u32>,
}

#[derive(Clone)]
pub(crate) struct Task {
    sender: String,
    chats: Vec<String>,
    contents: Vec<Content>,
    created_at: DateTime<Utc>,
    reminded_at: Vec<DateTime<Utc>>,
    /// When the member tapped "send", and which groups got it.
    sent: Option<(DateTime<Utc>, Vec<String>)>,
    /// The application took it back: nobody can tap it any more.
    stopped: bool,
}

impl GroupTasks {
    /// Tasks that wait for this member: id and words.
    pub(crate) fn waiting(&self, user: &str) -> Vec<(String, String)> {
        let waits = |(_, task): &(&String, &Task)| task.sender == user && task.sent.is_none() && !task.stopped;
        let words = |task: &Task| task.contents.iter().map(Content::text).collect::<Vec<_>>().join(" ");
        self.tasks.iter().filter(waits).map(|(id, task)| (id.clone(), words(task))).collect()
    }

    /// Counts a message unless the group got as many this month as the month has days; whether it was counted.
    fn receive(&mut self, chat: &str, now: DateTime<Utc>) -> bool {
        let today = beijing_day(now);
        let first = today - Days::new(u64::from(today.day0()));
        let days = first.checked_add_months(Months::new(1)).map_or(31, |next| (next - first).num_days());
        let received = self.received.entry((chat.to_owned(), first)).or_default();
        let fits = i64::from(*received) < days;
        *received += u32::from(fits);
        fits
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewTask {
    chat_type: String,
    #[serde(default)]
    sender: String,
    #[serde(default)]
    chat_id_list: Vec<String>,
    text: Option<Text>,
    #[serde(default)]
    attachments: Vec<Attachment>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    content: String,
}

/// A call with the application's token and a strict body; `lists` are those of the answer.
pub(super) fn call<T: serde::de::DeserializeOwned>(
    request: &HttpRequest,
    body: &[u8],
    sandbox: &Sandbox,
    lists: &[&str],
    work: impl FnOnce(&mut State, T, DateTime<Utc>) -> Result<Value, Refused>,
) -> HttpResponse {
    let parameters = Parameters::of(request);
    let now = sandbox.now();
    let state = &mut *sandbox.state();
    let result = state.wecom_app.check(parameters.get("access_token"), now).and_then(|()| {
        let body = serde_json::from_slice(body)
            .or_else(|error| refused(40058, format!("{error}. invalid Request Parameter")))?;
        work(state, body, now)
    });
    answer_with_lists(lists, result)
}

pub(super) async fn add(request: HttpRequest, body: web::Bytes, sandbox: web::Data<Sandbox>) -> HttpResponse {
    call(&request, &body, &sandbox, &["fail_list"], create)
}

fn create(state: &mut State, task: NewTask, now: DateTime<Utc>) -> Result<Value, Refused> {
    if task.chat_type != "group" || task.chat_id_list.is_empty() || task.chat_id_list.len() > CHATS {
        return refused(40058, "chat_id_list invalid. invalid Request Parameter");
    }
    let text = task.text.map(|text| text.content).unwrap_or_default();
    if text.is_empty() && task.attachments.is_empty() {
        return refused(44004, "text content is empty");
    }
    if text.len() > TEXT_BYTES {
        return refused(40058, "text.content exceed max length 4000. invalid Request Parameter");
    }
    if task.attachments.len() > ATTACHMENTS {
        return refused(40058, "attachments exceed max length 9. invalid Request Parameter");
    }
    let sender = task.sender.to_lowercase();
    if !state.is_member(&sender) {
        return refused(40003, "invalid UserID");
    }
    let mut contents = Vec::new();
    if !text.is_empty() {
        contents.push(Content::Text { text, mentioned: Vec::new() });
    }
    for attachment in &task.attachments {
        contents.push(attachment.content(state, now)?);
    }
    let (known, unknown): (Vec<_>, Vec<_>) = task.chat_id_list.into_iter().partition(|chat| {
        state.groups.get(chat).is_some_and(|group| group.kind == GroupKind::Customer && group.has(&sender))
    });
    if known.is_empty() {
        return refused(84061, "not external contact");
    }
    // In the order of their making.
    let id = format!("msg{:08}{}", state.group_tasks.tasks.len(), hex::encode(rand::random::<[u8; 8]>()));
    let task =
        Task { sender, chats: known, contents, created_at: now, reminded_at: Vec::new(), sent: None, stopped: false };
    state.group_tasks.tasks.insert(id.clone(), task);
    Ok(json!({"errcode": 0, "errmsg": "ok", "fail_list": unknown, "msgid": id}))
}

/// The member taps "send" on a task that waits for him, or on all of them; how many there were.
pub(crate) fn confirm(sandbox: &Sandbox, user: &str, only: Option<&str>) -> usize {
    let now = sandbox.now();
    let state = &mut *sandbox.state();
    let waiting = state.group_tasks.waiting(user);
    let chosen: Vec<String> =
        waiting.into_iter().map(|(id, _)| id).filter(|id| only.is_none_or(|only| only == id)).collect();
    for id in &chosen {
        let Some(mut task) = state.group_tasks.tasks.remove(id) else { continue };
        let mut reached = Vec::new();
        for chat in &task.chats {
            // Beyond what a group may get in a month nobody is told.
            if !state.group_tasks.receive(chat, now) {
                continue;
            }
            for content in &task.contents {
                let to = Recipient::Group(chat.clone());
                state.journal.deliver(now, Platform::WeCom, to, content.clone());
            }
            reached.push(chat.clone());
        }
        task.sent = Some((now, reached));
        state.group_tasks.tasks.insert(id.clone(), task);
    }
    chosen.len()
}

/// Most rows of a page.
const PAGE: u16 = 1000;

fn check_page(limit: Option<u16>) -> Result<(), Refused> {
    match limit {
        Some(limit) if !(1..=PAGE).contains(&limit) => refused(40058, "limit invalid. invalid Request Parameter"),
        _ => Ok(()),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ResultQuery {
    msgid: String,
    userid: String,
    limit: Option<u16>,
    #[serde(default, rename = "cursor")]
    _cursor: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TaskQuery {
    msgid: String,
    limit: Option<u16>,
    #[serde(default, rename = "cursor")]
    _cursor: String,
}

/// A task that is known and no longer being dispatched.
fn dispatched<'a>(state: &'a State, id: &str, now: DateTime<Utc>) -> Result<&'a Task, Refused> {
    let Some(task) = state.group_tasks.tasks.get(id) else {
        return refused(40058, "msgid invalid. invalid Request Parameter");
    };
    if now - task.created_at < TimeDelta::seconds(state.limits.dispatching_seconds) {
        return refused(41063, "group msg is dispatching, try again later");
    }
    Ok(task)
}

/// Whether the member sent it: 0 not yet, 2 sent.
pub(super) async fn members(request: HttpRequest, body: web::Bytes, sandbox: web::Data<Sandbox>) -> HttpResponse {
    call(&request, &body, &sandbox, &["task_list"], |state, query: TaskQuery, now| {
        check_page(query.limit)?;
        let task = dispatched(state, &query.msgid, now)?;
        let entry = match &task.sent {
            None => json!({"userid": task.sender, "status": 0}),
            Some((at, _)) => json!({"userid": task.sender, "status": 2, "send_time": at.timestamp()}),
        };
        Ok(json!({"errcode": 0, "errmsg": "ok", "next_cursor": "", "task_list": [entry]}))
    })
}

/// What became of it in each group: 0 not sent, 1 sent, 3 the group had its messages of this month.
pub(super) async fn results(request: HttpRequest, body: web::Bytes, sandbox: web::Data<Sandbox>) -> HttpResponse {
    call(&request, &body, &sandbox, &["send_list"], |state, query: ResultQuery, now| {
        check_page(query.limit)?;
        let task = dispatched(state, &query.msgid, now)?;
        if query.userid.to_lowercase() != task.sender {
            return refused(40003, "invalid UserID");
        }
        let entry = |chat: &String| match &task.sent {
            None => json!({"chat_id": chat, "userid": task.sender, "status": 0}),
            Some((at, reached)) if reached.contains(chat) => {
                json!({"chat_id": chat, "userid": task.sender, "status": 1, "send_time": at.timestamp()})
            }
            Some(_) => json!({"chat_id": chat, "userid": task.sender, "status": 3}),
        };
        let list: Vec<Value> = task.chats.iter().map(entry).collect();
        Ok(json!({"errcode": 0, "errmsg": "ok", "next_cursor": "", "send_list": list}))
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    msgid: String,
}

pub(super) async fn remind(request: HttpRequest, body: web::Bytes, sandbox: web::Data<Sandbox>) -> HttpResponse {
    call(&request, &body, &sandbox, &[], |state, Named { msgid }, now| {
        let Some(task) = state.group_tasks.tasks.get_mut(&msgid) else {
            return refused(40058, "msgid invalid. invalid Request Parameter");
        };
        task.reminded_at.retain(|at| now - *at < REMINDED_WITHIN);
        if task.reminded_at.len() >= REMINDERS {
            return refused(45009, "api freq out of limit");
        }
        task.reminded_at.push(now);
        Ok(json!({"errcode": 0, "errmsg": "ok"}))
    })
}

/// The application takes a task back that nobody has tapped.
pub(super) async fn stop(request: HttpRequest, body: web::Bytes, sandbox: web::Data<Sandbox>) -> HttpResponse {
    call(&request, &body, &sandbox, &[], |state, Named { msgid }, _now| {
        let Some(task) = state.group_tasks.tasks.get_mut(&msgid) else {
            return refused(40058, "msgid invalid. invalid Request Parameter");
        };
        if task.sent.is_some() {
            return refused(40058, "msgid already sent. invalid Request Parameter");
        }
        task.stopped = true;
        Ok(json!({"errcode": 0, "errmsg": "ok"}))
    })
}

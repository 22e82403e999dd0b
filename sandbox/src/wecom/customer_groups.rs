//! Messages into groups with outside WeChat users: a task that a member has to confirm on his phone.

use std::collections::HashMap;

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    Sandbox,
    answer::{Manner, Parameters, Refused, answer, refused},
    journal::{Content, Platform, Recipient},
    state::State,
};

const TEXT_BYTES: usize = 4000;
const CHATS: usize = 2000;

/// Tasks that wait for a tap: who, where, what.
#[derive(Default)]
pub(crate) struct GroupTasks(HashMap<String, Task>);

#[derive(Clone)]
struct Task {
    sender: String,
    chats: Vec<String>,
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewTask {
    chat_type: String,
    sender: String,
    chat_id_list: Vec<String>,
    text: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    content: String,
}

pub(super) async fn add(request: HttpRequest, body: web::Bytes, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let parameters = Parameters::of(&request);
    let now = sandbox.now();
    answer(&Manner::WeCom, task(&mut sandbox.state(), parameters.get("access_token"), &body, now))
}

fn task(state: &mut State, token: &str, body: &[u8], now: DateTime<Utc>) -> Result<Value, Refused> {
    state.wecom_app.check(token, now)?;
    let task: NewTask =
        serde_json::from_slice(body).or_else(|error| refused(40058, format!("{error}. invalid Request Parameter")))?;
    if task.chat_type != "group" || task.chat_id_list.is_empty() || task.chat_id_list.len() > CHATS {
        return refused(40058, "chat_id_list invalid. invalid Request Parameter");
    }
    if task.text.content.is_empty() {
        return refused(44004, "text content is empty");
    }
    if task.text.content.len() > TEXT_BYTES {
        return refused(40058, "text.content exceed max length 4000. invalid Request Parameter");
    }
    let sender = task.sender.to_lowercase();
    if !state.phones.values().any(|phone| phone.wecom_user_id.as_deref() == Some(&sender)) {
        return refused(40003, "invalid UserID");
    }
    let (known, unknown): (Vec<_>, Vec<_>) =
        task.chat_id_list.into_iter().partition(|chat| state.groups.contains_key(chat));
    if known.is_empty() {
        return refused(84061, "not external contact");
    }
    let id = format!("msg{}", hex::encode(rand::random::<[u8; 12]>()));
    state.group_tasks.0.insert(id.clone(), Task { sender, chats: known, text: task.text.content });
    Ok(json!({"errcode": 0, "errmsg": "ok", "fail_list": unknown, "msgid": id}))
}

/// The member taps "send" on every task that waits for him; how many there were.
pub(crate) fn confirm(sandbox: &Sandbox, user: &str) -> usize {
    let now = sandbox.now();
    let state = &mut *sandbox.state();
    let (own, others): (HashMap<_, _>, HashMap<_, _>) =
        std::mem::take(&mut state.group_tasks.0).into_iter().partition(|(_, task)| task.sender == user);
    state.group_tasks.0 = others;
    for task in own.values() {
        for chat in &task.chats {
            let content = Content::Text { text: task.text.clone(), mentioned: Vec::new() };
            state.journal.deliver(now, Platform::WeCom, Recipient::Group(chat.clone()), content);
        }
    }
    own.len()
}

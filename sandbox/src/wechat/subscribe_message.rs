//! Subscribe messages: each uses up one accept of the person for the template.

use std::{collections::BTreeMap, time::Duration};

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Event, Template, content_check::RISKY, push_event};
use crate::{
    Sandbox,
    answer::{Manner, Parameters, Refused, answer, refused},
    journal::{Content, Line, Platform, Recipient},
    settings::Account,
    state::State,
};

/// Longest page path with its query.
const PAGE_LENGTH: usize = 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    #[serde(default)]
    touser: String,
    #[serde(default)]
    template_id: String,
    page: Option<String>,
    #[serde(default = "formal")]
    miniprogram_state: String,
    #[serde(default = "chinese")]
    lang: String,
    #[serde(default)]
    data: BTreeMap<String, MessageValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MessageValue {
    value: String,
}

fn formal() -> String {
    "formal".into()
}

fn chinese() -> String {
    "zh_CN".into()
}

pub(super) async fn send(request: HttpRequest, body: web::Bytes, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let parameters = Parameters::of(&request);
    let result = match accept(&sandbox, &parameters, &body) {
        Ok((message, turn)) => {
            wait(sandbox.subscribe_send_duration()).await;
            let result = finish(&sandbox, &message);
            drop(turn);
            result
        }
        Err(refused) => Err(refused),
    };
    answer(&Manner::CgiBin, result)
}

async fn wait(duration: Duration) {
    if !duration.is_zero() {
        tokio::time::sleep(duration).await;
    }
}

/// A person's turn; over when it is dropped, also where the caller hung up.
struct Turn {
    sandbox: Sandbox,
    openid: String,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.sandbox.state().sending.remove(&self.openid);
    }
}

/// Checks the call and takes the person's turn: the next message to the same person waits for the end of this one.
fn accept(sandbox: &Sandbox, parameters: &Parameters, body: &[u8]) -> Result<(Message, Turn), Refused> {
    let now = sandbox.now();
    let state = &mut *sandbox.state();
    state.only_mini_program(parameters.get("access_token"), now)?;
    let message = parse(body)?;
    if !state.phones.contains_key(&message.touser) {
        return refused(40003, "invalid openid");
    }
    let Some(template) = state.templates.get(&message.template_id) else {
        return refused(40037, "invalid template_id");
    };
    check(&message, template, &state.account)?;
    if message.data.values().any(|entry| entry.value.contains(RISKY)) {
        return refused(45168, "hit sensitive word");
    }
    if !state.sending.insert(message.touser.clone()) {
        return refused(43108, "concurrent sending to the same user");
    }
    let turn = Turn { sandbox: sandbox.clone(), openid: message.touser.clone() };
    Ok((message, turn))
}

fn parse(body: &[u8]) -> Result<Message, Refused> {
    if !serde_json::from_slice::<Value>(body).is_ok_and(|value| value.is_object()) {
        return refused(47001, "data format error");
    }
    serde_json::from_slice(body).or_else(|error| refused(47003, format!("argument invalid! {error}")))
}

fn check(message: &Message, template: &Template, account: &Account) -> Result<(), Refused> {
    let argument = |what: &str, why: &str| refused(47003, format!("argument invalid! {what} {why}"));
    if !["formal", "trial", "developer"].contains(&message.miniprogram_state.as_str()) {
        return argument("miniprogram_state", "invalid");
    }
    if !["zh_CN", "en_US", "zh_HK", "zh_TW"].contains(&message.lang.as_str()) {
        return argument("lang", "invalid");
    }
    if let Some(page) = &message.page
        && (page.is_empty() || page.starts_with('/') || page.contains("://") || page.chars().count() > PAGE_LENGTH)
    {
        return refused(41030, "invalid page");
    }
    if message.page.as_ref().is_some_and(|page| !account.has_page(page)) {
        return refused(41030, "invalid page");
    }
    let value = |key: &str| message.data.get(key).map(|entry| entry.value.as_str());
    template.check_values(&message.data.keys().map(String::as_str).collect::<Vec<_>>(), value)
}

fn finish(sandbox: &Sandbox, message: &Message) -> Result<Value, Refused> {
    let now = sandbox.now();
    let id = deliver(&mut sandbox.state(), message, now)?;
    let event = Event::Sent { template_id: message.template_id.clone(), message_id: id, code: 0 };
    let (pusher, openid) = (sandbox.clone(), message.touser.clone());
    tokio::spawn(async move { push_event(&pusher, &openid, &event).await });
    Ok(json!({"errcode": 0, "errmsg": "ok", "msgid": id}))
}

fn deliver(state: &mut State, message: &Message, now: DateTime<Utc>) -> Result<u64, Refused> {
    let Some(template) = state.templates.get(&message.template_id) else {
        return refused(40037, "invalid template_id");
    };
    let lines = template
        .fields
        .iter()
        .filter_map(|field| {
            let value = message.data.get(&field.key)?.value.clone();
            Some(Line { key: field.key.clone(), label: field.label.clone(), value })
        })
        .collect();
    let content = Content::SubscribeMessage {
        template_id: template.id.clone(),
        title: template.title.clone(),
        page: message.page.clone(),
        lines,
    };
    let accepts = state.accepts.entry((message.touser.clone(), message.template_id.clone())).or_default();
    if *accepts == 0 {
        return refused(43101, "user refuse to accept the msg");
    }
    // Who once accepted a long-term template gets all its messages.
    if !template.long_term {
        *accepts -= 1;
    }
    Ok(state.journal.deliver(now, Platform::WeChat, Recipient::Phone(message.touser.clone()), content))
}

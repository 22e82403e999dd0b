//! Template messages of the official account.

use std::collections::{BTreeMap, HashMap};

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    Sandbox,
    answer::{Manner, Parameters, Refused, answer, refused},
    journal::{Content, Line, Platform, Recipient},
    state::State,
};

/// A message under one name reaches a person once within this span.
const ONCE: TimeDelta = TimeDelta::minutes(10);

/// Until when a name is taken, by person and name.
pub(crate) type TakenNames = HashMap<(String, String), (DateTime<Utc>, u64)>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    touser: String,
    template_id: String,
    #[serde(default, rename = "url")]
    _url: String,
    miniprogram: Option<MiniProgram>,
    #[serde(default)]
    client_msg_id: String,
    data: BTreeMap<String, Field>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MiniProgram {
    appid: String,
    #[serde(default)]
    pagepath: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Field {
    value: String,
    #[serde(default, rename = "color")]
    _color: String,
}

pub(super) async fn send(request: HttpRequest, body: web::Bytes, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let parameters = Parameters::of(&request);
    let now = sandbox.now();
    answer(&Manner::CgiBin, deliver(&mut sandbox.state(), &parameters, &body, now))
}

fn deliver(state: &mut State, parameters: &Parameters, body: &[u8], now: DateTime<Utc>) -> Result<Value, Refused> {
    state.tokens.check(parameters.get("access_token"), now)?;
    let message: Message =
        serde_json::from_slice(body).or_else(|error| refused(47001, format!("data format error: {error}")))?;
    if !state.phones.contains_key(&message.touser) {
        return refused(40003, "invalid openid");
    }
    let Some(template) = state.templates.get(&message.template_id) else {
        return refused(40037, "invalid template_id");
    };
    if state.unfollowed.contains(&message.touser) {
        return refused(43004, "require subscribe");
    }
    if message.miniprogram.as_ref().is_some_and(|target| target.appid != state.account.app_id) {
        return refused(40013, "invalid appid");
    }
    let title = template.title.clone();
    let keys: Vec<_> = template.fields.iter().map(|field| (field.key.clone(), field.label.clone())).collect();
    let mut lines = Vec::new();
    for (key, label) in keys {
        match message.data.get(&key).filter(|field| !field.value.is_empty()) {
            Some(field) => lines.push(Line { key, label, value: field.value.clone() }),
            None => return refused(47003, format!("argument invalid! data.{key}.value is empty")),
        }
    }
    if lines.len() != message.data.len() {
        return refused(47003, "argument invalid! data has keys that the template has not");
    }
    let name = (message.touser.clone(), message.client_msg_id.clone());
    state.taken_names.retain(|_, (until, _)| now < *until);
    if let Some((_, former)) = state.taken_names.get(&name) {
        return Ok(json!({"errcode": 0, "errmsg": "ok", "msgid": former}));
    }
    state.last_message_id += 1;
    let id = state.last_message_id;
    if !name.1.is_empty() {
        state.taken_names.insert(name, (now + ONCE, id));
    }
    let page = message.miniprogram.map(|target| target.pagepath);
    let content = Content::SubscribeMessage { template_id: message.template_id, title, page, lines };
    state.journal.deliver(now, Platform::WeChat, Recipient::Phone(message.touser), content);
    Ok(json!({"errcode": 0, "errmsg": "ok", "msgid": id}))
}

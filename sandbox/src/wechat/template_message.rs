//! Template messages of the official account.

use std::collections::{BTreeMap, HashMap};

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::json;

use super::{Which, push_object};
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
    let sent = deliver(&mut sandbox.state(), &parameters, &body, now);
    let result = sent.map(|Sent { id, told }| {
        if let Some((openid, status)) = told {
            let sandbox = sandbox.get_ref().clone();
            let event = json!({"MsgID": id, "Status": status});
            let which = Which::OfficialAccount;
            tokio::spawn(async move { push_object(&sandbox, which, &openid, "TEMPLATESENDJOBFINISH", &event).await });
        }
        json!({"errcode": 0, "errmsg": "ok", "msgid": id})
    });
    answer(&Manner::CgiBin, result)
}

/// A message that was taken.
struct Sent {
    id: u64,
    /// Whom it concerns and what became of it; none for one that was taken before.
    told: Option<(String, &'static str)>,
}

fn deliver(state: &mut State, parameters: &Parameters, body: &[u8], now: DateTime<Utc>) -> Result<Sent, Refused> {
    state.only_official_account(parameters.get("access_token"), now)?;
    let message: Message =
        serde_json::from_slice(body).or_else(|error| refused(47001, format!("data format error: {error}")))?;
    let Some(phone) = state.phone_at(Which::OfficialAccount, &message.touser) else {
        return refused(40003, "invalid openid");
    };
    let Some(template) = state.templates.get(&message.template_id) else {
        return refused(40037, "invalid template_id");
    };
    if state.unfollowed.contains(&phone) {
        return refused(43004, "require subscribe");
    }
    if message.miniprogram.as_ref().is_some_and(|target| target.appid != state.account.app_id) {
        return refused(40013, "invalid appid");
    }
    if message.miniprogram.as_ref().is_some_and(|target| !state.account.has_page(&target.pagepath)) {
        return refused(40165, "invalid weapp pagepath");
    }
    let value = |key: &str| message.data.get(key).map(|field| field.value.as_str());
    template.check_values(&message.data.keys().map(String::as_str).collect::<Vec<_>>(), value)?;
    let title = template.title.clone();
    let lines = template
        .fields
        .iter()
        .map(|field| Line {
            key: field.key.clone(),
            label: field.label.clone(),
            value: value(&field.key).unwrap_or_default().to_owned(),
        })
        .collect();
    let name = (message.touser.clone(), message.client_msg_id.clone());
    state.taken_names.retain(|_, (until, _)| now < *until);
    if let Some((_, former)) = state.taken_names.get(&name) {
        return Ok(Sent { id: *former, told: None });
    }
    if !state.usage.spend_today("template messages", now, state.limits.template_messages_a_day, 1) {
        return refused(45009, "reach max api daily quota limit");
    }
    state.last_message_id += 1;
    let id = state.last_message_id;
    if !name.1.is_empty() {
        state.taken_names.insert(name, (now + ONCE, id));
    }
    let page = message.miniprogram.map(|target| target.pagepath);
    let content = Content::SubscribeMessage { template_id: message.template_id, title, page, lines };
    let blocked = state.blocking.contains(&phone);
    if !blocked {
        state.journal.deliver(now, Platform::WeChat, Recipient::Phone(phone), content);
    }
    let status = if blocked { "failed:user block" } else { "success" };
    Ok(Sent { id, told: Some((message.touser, status)) })
}

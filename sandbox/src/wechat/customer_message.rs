//! Customer-service messages: the account answers a person who wrote to it.

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    Sandbox,
    answer::{Manner, Parameters, Refused, answer, refused},
    journal::{Content, Platform, Recipient},
    phones::ReplyAllowance,
    state::State,
};

/// A message from the person allows five messages …
const REPLIES: u8 = 5;
/// … within 48 hours.
const REPLY_WINDOW: TimeDelta = TimeDelta::hours(48);
/// Longest text.
const TEXT_BYTES: usize = 2048;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    #[serde(default)]
    touser: String,
    #[serde(default)]
    msgtype: String,
    text: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    #[serde(default)]
    content: String,
}

/// The person wrote: the allowance starts anew.
pub(crate) fn grant_replies(state: &mut State, openid: &str, now: DateTime<Utc>) {
    state.replies.insert(openid.to_owned(), ReplyAllowance { granted_at: now, left: REPLIES });
}

pub(super) async fn send(request: HttpRequest, body: web::Bytes, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let parameters = Parameters::of(&request);
    let now = sandbox.now();
    answer(&Manner::CgiBin, deliver(&mut sandbox.state(), &parameters, &body, now))
}

fn deliver(state: &mut State, parameters: &Parameters, body: &[u8], now: DateTime<Utc>) -> Result<Value, Refused> {
    state.tokens.check(parameters.get("access_token"), now)?;
    if !serde_json::from_slice::<Value>(body).is_ok_and(|value| value.is_object()) {
        return refused(47001, "data format error");
    }
    let message: Message =
        serde_json::from_slice(body).or_else(|error| refused(47003, format!("argument invalid! {error}")))?;
    if !state.phones.contains_key(&message.touser) {
        return refused(40003, "invalid openid");
    }
    if message.msgtype != "text" {
        return refused(40008, "invalid message type");
    }
    let text = message.text.map(|text| text.content).unwrap_or_default();
    if text.is_empty() {
        return refused(44004, "empty content");
    }
    if text.len() > TEXT_BYTES {
        return refused(45002, "content size out of limit");
    }
    match state.replies.get_mut(&message.touser) {
        Some(allowance) if now - allowance.granted_at <= REPLY_WINDOW => {
            if allowance.left == 0 {
                return refused(45047, "out of response count limit");
            }
            allowance.left -= 1;
        }
        _ => return refused(45015, "response out of time limit or subscription is canceled"),
    }
    let content = Content::CustomerMessage { text };
    state.journal.deliver(now, Platform::WeChat, Recipient::Phone(message.touser), content);
    Ok(json!({"errcode": 0, "errmsg": "ok"}))
}

//! The application of a corporation: its token, and messages to its members.

use std::collections::HashMap;

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::template_card::{self, Card};
use crate::{
    Sandbox,
    answer::{Manner, Parameters, Refused, answer, refused},
    journal::{Content, Platform, Recipient},
    robot_use::RobotUse,
    state::State,
};

const TEXT_BYTES: usize = 2048;
const RECIPIENTS: usize = 1000;
/// What comes on top in a minute is dropped without a word.
const TO_A_MEMBER: usize = 30;
/// Longest span of the duplicate check, in seconds, and the usual one.
const LONGEST_CHECK: i64 = 14_400;
const USUAL_CHECK: i64 = 1800;

/// What the platform knows of the application.
#[derive(Default)]
pub(crate) struct AppUse {
    token: Option<(String, DateTime<Utc>)>,
    former: Vec<String>,
    /// Until when the very same message is not delivered again.
    known: HashMap<String, DateTime<Utc>>,
    /// By member.
    members: HashMap<String, RobotUse>,
    pub(crate) token_calls: u32,
    last_message: u64,
}

impl AppUse {
    /// Kills the token now.
    pub(crate) fn revoke(&mut self) {
        self.former.extend(self.token.take().map(|(token, _)| token));
    }

    pub(super) fn check(&self, token: &str, now: DateTime<Utc>) -> Result<(), Refused> {
        match &self.token {
            _ if token.is_empty() => refused(41001, "access_token missing"),
            Some((current, end)) if current == token && now < *end => Ok(()),
            Some((current, _)) if current == token => refused(42001, "access_token expired"),
            _ if self.former.iter().any(|former| former == token) => refused(42001, "access_token expired"),
            _ => refused(40014, "invalid access_token"),
        }
    }
}

pub(super) async fn token(request: HttpRequest, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let parameters = Parameters::of(&request);
    let now = sandbox.now();
    let lifetime = TimeDelta::from_std(sandbox.token_lifetime()).unwrap_or(TimeDelta::MAX);
    let result = || -> Result<Value, Refused> {
        let state = &mut *sandbox.state();
        state.wecom_app.token_calls += 1;
        if parameters.get("corpsecret").is_empty() {
            return refused(41004, "corpsecret missing");
        }
        if parameters.get("corpid") != state.wecom_account.corp_id {
            return refused(40013, "invalid corpid");
        }
        if parameters.get("corpsecret") != state.wecom_account.secret {
            return refused(40001, "invalid credential");
        }
        let (token, end) = match state.wecom_app.token.clone() {
            Some((token, end)) if now < end => (token, end),
            former => {
                state.wecom_app.former.extend(former.map(|(token, _)| token));
                (hex::encode(rand::random::<[u8; 64]>()), now + lifetime)
            }
        };
        state.wecom_app.token = Some((token.clone(), end));
        Ok(json!({"errcode": 0, "errmsg": "ok", "access_token": token, "expires_in": (end - now).num_seconds()}))
    };
    answer(&Manner::WeCom, result())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    #[serde(default)]
    touser: String,
    agentid: Option<i64>,
    msgtype: String,
    text: Option<Words>,
    markdown: Option<Words>,
    template_card: Option<Card>,
    image: Option<MediaId>,
    file: Option<MediaId>,
    #[serde(default)]
    safe: u8,
    #[serde(default)]
    enable_id_trans: u8,
    #[serde(default)]
    enable_duplicate_check: u8,
    #[serde(default)]
    duplicate_check_interval: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MediaId {
    media_id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    #[serde(default)]
    content: String,
}

pub(super) async fn send(request: HttpRequest, body: web::Bytes, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let parameters = Parameters::of(&request);
    let now = sandbox.now();
    answer(&Manner::WeCom, deliver(&mut sandbox.state(), parameters.get("access_token"), &body, now))
}

fn deliver(state: &mut State, token: &str, body: &[u8], now: DateTime<Utc>) -> Result<Value, Refused> {
    state.wecom_app.check(token, now)?;
    let Ok(value) = serde_json::from_slice::<Value>(body) else {
        return refused(40035, "invalid json format");
    };
    let kind = value["msgtype"].as_str().unwrap_or_default();
    if !["text", "markdown", "template_card", "image", "file"].contains(&kind) {
        return refused(40008, "invalid message type");
    }
    let message: Message =
        serde_json::from_value(value).or_else(|error| refused(40058, format!("{error}. invalid Request Parameter")))?;
    match message.agentid {
        None => return refused(41011, "agentid missing"),
        Some(agent) if agent != state.wecom_account.agent_id => return refused(40056, "invalid agentid"),
        Some(_) => {}
    }
    if message.safe > 1 || message.enable_id_trans > 1 || message.enable_duplicate_check > 1 {
        return refused(40058, "safe invalid. invalid Request Parameter");
    }
    let content = match message.image.as_ref().or(message.file.as_ref()) {
        Some(MediaId { media_id }) => match state.media.get(media_id) {
            Some(media) if media.may_be_sent("", now) => Content::File { name: media.name.clone(), bytes: media.bytes },
            _ => return refused(40007, "invalid media_id"),
        },
        None => content(&message)?,
    };
    let (known, unknown): (Vec<_>, Vec<_>) = message
        .touser
        .split('|')
        .filter(|user| !user.is_empty())
        .map(str::to_lowercase)
        .partition(|user| state.phones.values().any(|phone| phone.wecom_user_id.as_deref() == Some(user)));
    if known.len() + unknown.len() > RECIPIENTS {
        return refused(40058, "touser exceed max length 1000. invalid Request Parameter");
    }
    if known.is_empty() {
        return refused(81013, "user & party & tag all invalid");
    }
    let app = &mut state.wecom_app;
    app.last_message += 1;
    let answer = json!({
        "errcode": 0, "errmsg": "ok", "invaliduser": unknown.join("|"), "invalidparty": "", "invalidtag": "",
        "unlicenseduser": "", "msgid": format!("MSG{}", app.last_message),
    });
    if message.enable_duplicate_check == 1 {
        let span = message.duplicate_check_interval.unwrap_or(USUAL_CHECK);
        if !(1..=LONGEST_CHECK).contains(&span) {
            return refused(40058, "duplicate_check_interval invalid. invalid Request Parameter");
        }
        app.known.retain(|_, until| now < *until);
        let body = String::from_utf8_lossy(body).into_owned();
        // Taken, and not delivered again.
        if app.known.insert(body, now + TimeDelta::seconds(span)).is_some() {
            return Ok(answer);
        }
    }
    for user in known {
        if app.members.entry(user.clone()).or_default().spend(now, TO_A_MEMBER, TimeDelta::minutes(1)) {
            state.journal.deliver(now, Platform::WeCom, Recipient::WeComUser(user), content.clone());
        }
    }
    Ok(answer)
}

fn content(message: &Message) -> Result<Content, Refused> {
    let filled = |words: &Option<Words>| words.as_ref().map(|words| words.content.clone()).unwrap_or_default();
    match message.msgtype.as_str() {
        "text" => {
            let mut text = filled(&message.text);
            if text.is_empty() {
                return refused(44004, "text content is empty");
            }
            // Without a word.
            text.truncate((0..=TEXT_BYTES.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0));
            Ok(Content::AppMessage { text })
        }
        "markdown" => {
            let text = filled(&message.markdown);
            if text.is_empty() {
                return refused(44004, "markdown content is empty");
            }
            if text.len() > TEXT_BYTES {
                return refused(45002, "content size out of limit");
            }
            Ok(Content::Markdown { text })
        }
        _ => match &message.template_card {
            Some(card) => template_card::content(card, true),
            None => refused(44004, "template_card is missing"),
        },
    }
}

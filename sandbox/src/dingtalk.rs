//! DingTalk's group robot, under the prefix `/dingtalk`.

use actix_web::{HttpRequest, HttpResponse, web};
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, Mac};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::{
    Sandbox,
    answer::{Decision, Manner, Parameters, Refused, answer, not_simulated, refused},
    groups::GroupKind,
    journal::{Content, Platform, Recipient},
    state::State,
};

/// Longest body, in bytes.
const BODY_BYTES: usize = 20_000;
/// Messages in any minute; who sends more is silenced.
const MESSAGES: usize = 20;
const SILENCED_FOR: TimeDelta = TimeDelta::minutes(10);
/// How far the signature's time may be off.
const SKEW: TimeDelta = TimeDelta::hours(1);

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config
        .app_data(web::PayloadConfig::new(4 * BODY_BYTES))
        .service(
            web::resource("/robot/send")
                .route(web::post().to(send))
                .default_service(web::to(async || answer(&Manner::WeCom, refused(43002, "require POST method")))),
        )
        .default_service(web::to(not_simulated));
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    msgtype: String,
    text: Option<Text>,
    markdown: Option<Markdown>,
    link: Option<Link>,
    #[serde(rename = "actionCard")]
    action_card: Option<ActionCard>,
    #[serde(default)]
    at: At,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    content: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Markdown {
    title: String,
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Link {
    title: String,
    text: String,
    message_url: String,
    #[serde(default)]
    pic_url: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ActionCard {
    title: String,
    text: String,
    #[serde(rename = "singleTitle")]
    single_title: String,
    #[serde(rename = "singleURL")]
    single_url: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct At {
    at_mobiles: Vec<String>,
    at_user_ids: Vec<String>,
    is_at_all: bool,
}

enum Failure {
    Refused(Refused),
    /// A silenced robot gets an answer without a code.
    Silenced,
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

async fn send(request: HttpRequest, body: web::Bytes, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let parameters = Parameters::of(&request);
    let now = sandbox.now();
    let json =
        request.headers().get("content-type").is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    let result = if json {
        deliver(&mut sandbox.state(), &parameters, &body, now)
    } else {
        Err(Failure::Refused(Refused { code: 43004, message: "无效的HTTP HEADER Content-Type".into() }))
    };
    match result {
        Ok(()) => answer(&Manner::WeCom, Ok(json!({"errcode": 0, "errmsg": "ok"}))),
        Err(Failure::Refused(refused)) => answer(&Manner::WeCom, Err(refused)),
        Err(Failure::Silenced) => {
            let body = json!({"status": 1111, "wait": 5, "source": "x5", "punish": "deny"});
            let mut response = HttpResponse::Ok().json(body);
            response.extensions_mut().insert(Decision(130_101));
            response
        }
    }
}

fn deliver(state: &mut State, parameters: &Parameters, body: &[u8], now: DateTime<Utc>) -> Result<(), Failure> {
    let token = parameters.get("access_token");
    if token.is_empty() {
        return Ok(refused(40035, "缺少参数 access_token")?);
    }
    let Some(group) = state.groups.get(token).filter(|group| group.kind == GroupKind::Dingtalk).cloned() else {
        return Ok(refused(300_005, "token is not exist")?);
    };
    if let Some(secret) = &group.signing_secret {
        check_signature(secret, parameters, now)?;
    }
    if body.len() > BODY_BYTES {
        return Ok(refused(40035, "msg size exceed limit")?);
    }
    let kind = serde_json::from_slice::<Value>(body).ok().and_then(|body| Some(body["msgtype"].as_str()?.to_owned()));
    if kind.is_some_and(|kind| !["text", "markdown", "link", "actionCard"].contains(&kind.as_str())) {
        return Ok(refused(400_105, "unsupported msgtype")?);
    }
    let Ok(message) = serde_json::from_slice::<Message>(body) else {
        return Ok(refused(40035, "参数错误")?);
    };
    let content = content(message)?;
    if group.keyword.is_some_and(|keyword| !content.text().contains(&keyword)) {
        return Ok(refused(310_000, "keywords not in content")?);
    }
    let used = state.robots.entry(token.to_owned()).or_default();
    if used.silenced_until.is_some_and(|until| now < until) {
        return Err(Failure::Silenced);
    }
    if !used.spend(now, MESSAGES, TimeDelta::minutes(1)) {
        used.silenced_until = Some(now + SILENCED_FOR);
        return Err(Failure::Silenced);
    }
    state.journal.deliver(now, Platform::DingTalk, Recipient::Group(token.to_owned()), content);
    Ok(())
}

fn content(message: Message) -> Result<Content, Refused> {
    let wrong = || refused(40035, "参数错误");
    let filled = |text: &str| !text.trim().is_empty();
    match (message.msgtype.as_str(), message.text, message.markdown, message.link, message.action_card) {
        ("text", Some(Text { content }), None, None, None) if filled(&content) => {
            let mut mentioned = [message.at.at_mobiles, message.at.at_user_ids].concat();
            if message.at.is_at_all {
                mentioned.push("@all".into());
            }
            Ok(Content::Text { text: content, mentioned })
        }
        ("markdown", None, Some(Markdown { title, text }), None, None) if filled(&title) && filled(&text) => {
            Ok(Content::Markdown { text })
        }
        ("link", None, None, Some(link), None) if filled(&link.title) && is_web(&link.message_url) => {
            let article = crate::journal::Article {
                title: link.title,
                description: link.text,
                url: link.message_url,
                picurl: link.pic_url,
            };
            Ok(Content::News { articles: vec![article] })
        }
        ("actionCard", None, None, None, Some(card)) if filled(&card.title) && is_web(&card.single_url) => {
            Ok(Content::Card {
                title: card.title,
                words: card.text,
                lines: Vec::new(),
                opens: card.single_url,
                buttons: vec![crate::journal::Button { text: card.single_title, key: String::new() }],
                task: None,
            })
        }
        _ => wrong(),
    }
}

fn is_web(address: &str) -> bool {
    address.starts_with("https://") || address.starts_with("http://")
}

/// One code, whatever does not fit.
fn check_signature(secret: &str, parameters: &Parameters, now: DateTime<Utc>) -> Result<(), Refused> {
    let at = parameters.get("timestamp");
    // Milliseconds: seconds are an instant of 1970.
    let instant = at.parse().ok().and_then(DateTime::<Utc>::from_timestamp_millis);
    if instant.is_none_or(|instant| (now - instant).abs() > SKEW) {
        return refused(310_000, "invalid timestamp");
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key of any length will do");
    mac.update(format!("{at}\n{secret}").as_bytes());
    if STANDARD.encode(mac.finalize().into_bytes()) != parameters.get("sign") {
        return refused(310_000, "sign not match");
    }
    Ok(())
}

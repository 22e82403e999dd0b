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
    journal::{Article, Button, Content, Platform, Recipient},
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
    #[serde(rename = "feedCard")]
    feed_card: Option<FeedCard>,
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

/// With one button for the whole card, or with several.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ActionCard {
    title: String,
    text: String,
    #[serde(rename = "singleTitle")]
    single_title: Option<String>,
    #[serde(rename = "singleURL")]
    single_url: Option<String>,
    btns: Option<Vec<CardButton>>,
    /// `0` one below the other, `1` side by side.
    #[serde(rename = "btnOrientation")]
    orientation: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CardButton {
    title: String,
    #[serde(rename = "actionURL")]
    address: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FeedCard {
    links: Vec<FeedLink>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FeedLink {
    title: String,
    #[serde(rename = "messageURL")]
    address: String,
    #[serde(rename = "picURL")]
    picture: String,
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
    if kind.is_some_and(|kind| !["text", "markdown", "link", "actionCard", "feedCard"].contains(&kind.as_str())) {
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

/// Just the one object that the kind names.
fn content(message: Message) -> Result<Content, Refused> {
    let Message { msgtype, text, markdown, link, action_card, feed_card, at } = message;
    let given = [text.is_some(), markdown.is_some(), link.is_some(), action_card.is_some(), feed_card.is_some()];
    if given.into_iter().filter(|given| *given).count() != 1 {
        return wrong();
    }
    let filled = |text: &str| !text.trim().is_empty();
    match msgtype.as_str() {
        "text" => {
            let Some(Text { content }) = text.filter(|text| filled(&text.content)) else { return wrong() };
            let mut mentioned = [at.at_mobiles, at.at_user_ids].concat();
            if at.is_at_all {
                mentioned.push("@all".into());
            }
            Ok(Content::Text { text: content, mentioned })
        }
        "markdown" => match markdown {
            Some(Markdown { title, text }) if filled(&title) && filled(&text) => Ok(Content::Markdown { text }),
            _ => wrong(),
        },
        "link" => match link {
            Some(link) if filled(&link.title) && is_web(&link.message_url) => Ok(Content::News {
                articles: vec![Article {
                    title: link.title,
                    description: link.text,
                    url: link.message_url,
                    picurl: link.pic_url,
                }],
            }),
            _ => wrong(),
        },
        "actionCard" => action_card.map_or_else(wrong, action_content),
        _ => feed_card.map_or_else(wrong, feed_content),
    }
}

fn wrong<T>() -> Result<T, Refused> {
    refused(40035, "参数错误")
}

fn action_content(card: ActionCard) -> Result<Content, Refused> {
    let orientation = card.orientation.as_deref().unwrap_or("0");
    if card.title.trim().is_empty() || card.text.trim().is_empty() || !["0", "1"].contains(&orientation) {
        return wrong();
    }
    let links = match (card.single_title, card.single_url, card.btns) {
        (Some(title), Some(address), None) => vec![CardButton { title, address }],
        (None, None, Some(buttons)) if !buttons.is_empty() => buttons,
        _ => return wrong(),
    };
    if links.iter().any(|link| link.title.is_empty() || !is_web(&link.address)) {
        return wrong();
    }
    // Several buttons stand below the words as links: each opens something of its own.
    let several = links.len() > 1;
    let listed = if several { links.as_slice() } else { &[] };
    let listed = listed.iter().map(|link| format!("[{}]({})", link.title, link.address));
    Ok(Content::Card {
        title: card.title,
        words: std::iter::once(card.text).chain(listed).collect::<Vec<_>>().join("\n"),
        lines: Vec::new(),
        opens: if several { String::new() } else { links[0].address.clone() },
        buttons: links.into_iter().map(|link| Button { text: link.title, key: String::new() }).collect(),
        task: None,
    })
}

fn feed_content(card: FeedCard) -> Result<Content, Refused> {
    let fits = |link: &FeedLink| !link.title.is_empty() && is_web(&link.address) && is_web(&link.picture);
    if card.links.is_empty() || !card.links.iter().all(fits) {
        return wrong();
    }
    let article = |link: FeedLink| Article {
        title: link.title,
        description: String::new(),
        url: link.address,
        picurl: link.picture,
    };
    Ok(Content::News { articles: card.links.into_iter().map(article).collect() })
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

//! Feishu's group robot.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac as _};
use qingfeng_core::groups::{GroupKind, RobotKey};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{
    codes::{Place, meaning},
    exchange,
    pace::HUNDRED_A_MINUTE,
    parts::{json_bytes, parts},
    post::{Post, Span, heading, spans},
    robots::Workshop,
    template_card::CardTarget,
};
use crate::{delivery::Outcome, messages::shorten};

/// Longest body, in bytes.
pub(super) const LONGEST_BODY: usize = 20 * 1024;
/// Of a text body, what is not the text.
const AROUND: usize = 600;
/// Every line and link of a rich post is wrapped in names and brackets: the words get as large a share of the body as
/// leaves room for them.
const SHARES: [usize; 4] = [2, 3, 4, 8];
const TITLE: usize = 60;

const PLATFORM: &str = "飞书";

/// Posts; a text longer than the platform takes goes out in numbered parts.
pub(super) async fn post(workshop: &Workshop, key: &RobotKey, post: &Post) -> Outcome {
    let bodies = match bodies(key, post) {
        Ok(bodies) => bodies,
        Err(reason) => return Outcome::Final(reason.into()),
    };
    if let Err(outcome) = workshop.pace.admit(&key.token, HUNDRED_A_MINUTE, bodies.len()).await {
        return outcome;
    }
    workshop.one_after_the_other(GroupKind::FeishuRobot, key, bodies).await
}

pub(super) fn bodies(key: &RobotKey, post: &Post) -> Result<Vec<Value>, &'static str> {
    let marked = |text: &str| match &key.keyword {
        Some(keyword) if !text.contains(keyword.as_str()) => format!("{text}\n{keyword}"),
        _ => text.to_owned(),
    };
    Ok(match post {
        Post::Text { content, mentioned } => {
            let everybody = mentioned.iter().any(|who| who == "@all");
            let people = if everybody { "<at user_id=\"all\">所有人</at> " } else { "" };
            parts(content, LONGEST_BODY - 2 * AROUND, json_bytes)
                .iter()
                .map(|part| json!({"msg_type": "text", "content": {"text": format!("{people}{}", marked(part))}}))
                .collect()
        }
        Post::Markdown(text) | Post::RichMarkdown(text) => {
            let rest = text.split_once('\n').map_or(text.as_str(), |(_, rest)| rest);
            let written = |share: usize| -> Vec<Value> {
                let parts = parts(rest, LONGEST_BODY / share, json_bytes);
                parts.iter().map(|part| rich(&heading(text), &marked(part))).collect()
            };
            let fits = |bodies: &Vec<Value>| bodies.iter().all(|body| body_length(body) <= LONGEST_BODY);
            SHARES.into_iter().map(written).find(fits).ok_or("内容超过飞书的长度限制")?
        }
        Post::Card(card) => {
            let CardTarget::Address(address) = &card.target else { return Err("飞书群打不开小程序") };
            let lines: String = card.lines.iter().map(|(name, value)| format!("{name}：{value}\n")).collect();
            vec![rich(&card.title, &marked(&format!("{}\n{lines}[查看]({address})", card.words)))]
        }
        Post::Image { .. } | Post::File { .. } => return Err("飞书机器人不能直接发图片和文件，请发链接"),
    })
}

/// With the signature that is still to come.
fn body_length(body: &Value) -> usize {
    body.to_string().len() + AROUND
}

/// A rich post: lines of words and links.
fn rich(title: &str, markdown: &str) -> Value {
    let span = |span: Span| match span {
        Span::Words(text) => json!({"tag": "text", "text": text}),
        Span::Link { words, address } => json!({"tag": "a", "text": words, "href": address}),
    };
    let lines: Vec<Vec<Value>> = markdown
        .lines()
        .map(|line| spans(line).into_iter().map(span).collect::<Vec<_>>())
        .filter(|line| !line.is_empty())
        .collect();
    json!({"msg_type": "post", "content": {"post": {"zh_cn": {"title": shorten(title, TITLE), "content": lines}}}})
}

pub(super) async fn send(workshop: &Workshop, key: &RobotKey, mut body: Value) -> Outcome {
    let now = workshop.now();
    if let Some(secret) = &key.signing_secret {
        let at = now.timestamp();
        body["timestamp"] = at.to_string().into();
        body["sign"] = signature(secret, at).into();
    }
    let request = workshop.client.post(format!("{}/open-apis/bot/v2/hook/{}", workshop.base, key.token)).json(&body);
    match exchange::json(request, PLATFORM).await {
        Ok(answer) => match exchange::code(&answer, "code").or_else(|| exchange::code(&answer, "StatusCode")) {
            Some(code) => workshop.settled(key, meaning(Place::FeishuRobot, code)).await,
            None => Outcome::Unknown("飞书的回应看不懂，不知道是否已发出".into()),
        },
        Err(failure) => failure.outcome(now),
    }
}

/// The time and the secret are the key; the message is empty.
fn signature(secret: &str, at_seconds: i64) -> String {
    let key = format!("{at_seconds}\n{secret}");
    let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("a key of any length will do");
    STANDARD.encode(mac.finalize().into_bytes())
}

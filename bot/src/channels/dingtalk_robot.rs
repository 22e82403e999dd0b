//! DingTalk's group robot.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac as _};
use qingfeng_core::groups::{GroupKind, RobotKey};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{
    codes::{Place, meaning},
    exchange,
    pace::TWENTY_A_MINUTE,
    parts::{json_bytes, parts},
    post::{Post, heading, without_colours},
    robots::Workshop,
    template_card::CardTarget,
};
use crate::{delivery::Outcome, messages::shorten};

/// Longest body, in bytes.
pub(super) const LONGEST_BODY: usize = 20_000;
/// Of the body, what is not the text: names, brackets, a title.
const AROUND: usize = 600;
const TITLE: usize = 40;

/// Posts; a text longer than the platform takes goes out in numbered parts.
pub(super) async fn post(workshop: &Workshop, key: &RobotKey, post: &Post) -> Outcome {
    let bodies = match bodies(key, post) {
        Ok(bodies) => bodies,
        Err(reason) => return Outcome::Final(reason.into()),
    };
    if let Err(outcome) = workshop.pace.admit(&key.token, TWENTY_A_MINUTE, bodies.len()).await {
        return outcome;
    }
    workshop.one_after_the_other(GroupKind::DingtalkRobot, key, bodies).await
}

pub(super) fn bodies(key: &RobotKey, post: &Post) -> Result<Vec<Value>, &'static str> {
    let room = LONGEST_BODY - AROUND;
    let marked = |text: &str| match &key.keyword {
        Some(keyword) if !text.contains(keyword.as_str()) => format!("{text}\n{keyword}"),
        _ => text.to_owned(),
    };
    Ok(match post {
        Post::Text { content, mentioned } => parts(content, room, json_bytes)
            .iter()
            .map(|part| {
                let everybody = mentioned.iter().any(|who| who == "@all");
                let people: Vec<_> = mentioned.iter().filter(|who| *who != "@all").collect();
                json!({
                    "msgtype": "text", "text": {"content": marked(part)},
                    "at": {"atUserIds": people, "isAtAll": everybody},
                })
            })
            .collect(),
        Post::Markdown(text) | Post::RichMarkdown(text) => {
            let title = heading(text);
            // A single line end is a blank to DingTalk: two make a new line.
            let text = without_colours(text).replace('\n', "\n\n");
            parts(&text, room, json_bytes)
                .iter()
                .map(|part| {
                    json!({"msgtype": "markdown", "markdown": {
                        "title": shorten(&title, TITLE), "text": marked(part),
                    }})
                })
                .collect()
        }
        Post::Card(card) => {
            let CardTarget::Address(address) = &card.target else { return Err("钉钉群打不开小程序") };
            let lines: String = card.lines.iter().map(|(name, value)| format!("\n\n{name}：{value}")).collect();
            let text = format!("### {}\n\n{}{lines}", card.title, card.words);
            vec![json!({"msgtype": "actionCard", "actionCard": {
                "title": shorten(&card.title, TITLE), "text": marked(&text),
                "singleTitle": "查看", "singleURL": address,
            }})]
        }
        Post::Image { .. } | Post::File { .. } => return Err("钉钉机器人不能发图片和文件，请发链接"),
    })
}

pub(super) async fn send(workshop: &Workshop, key: &RobotKey, body: &Value) -> Outcome {
    let now = workshop.now();
    let mut request =
        workshop.client.post(format!("{}/robot/send", workshop.base)).query(&[("access_token", &key.token)]).json(body);
    if let Some(secret) = &key.signing_secret {
        let at = now.timestamp_millis();
        request = request.query(&[("timestamp", at.to_string()), ("sign", signature(secret, at))]);
    }
    let answer = match workshop.ask(request).await {
        Ok(answer) => answer,
        Err(outcome) => return outcome,
    };
    let code = match exchange::code(&answer, "errcode") {
        Some(code) => code,
        // A robot that is silenced says so without a code.
        None if answer.get("punish").is_some() || answer.get("wait").is_some() => 130_101,
        None => return Outcome::Unknown("钉钉的回应看不懂，不知道是否已发出".into()),
    };
    workshop.settled(key, meaning(Place::DingTalkRobot, code)).await
}

/// The secret is the key, and stands in the message, too.
fn signature(secret: &str, at_milliseconds: i64) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key of any length will do");
    mac.update(format!("{at_milliseconds}\n{secret}").as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

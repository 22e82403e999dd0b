//! WeCom's group robot.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use md5::{Digest as _, Md5};
use qingfeng_core::groups::{GroupKind, RobotKey};
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use super::{
    PATIENCE_FOR_UPLOADS,
    codes::{Meaning, Place, meaning},
    exchange,
    pace::TWENTY_A_MINUTE,
    parts::parts,
    post::Post,
    robots::Workshop,
};
use crate::delivery::Outcome;

/// Longest texts, in bytes of UTF-8. The robot refuses what is longer.
pub(crate) const LONGEST_MARKDOWN: usize = 4096;
const LONGEST_TEXT: usize = 2048;
/// Before it is written in base64.
const LARGEST_IMAGE: usize = 2 * 1024 * 1024;
/// More than five bytes, at most 20 MB.
const FILE_BYTES: std::ops::RangeInclusive<usize> = 6..=20 * 1024 * 1024;

const PLATFORM: &str = "企业微信";

/// Posts; a text longer than the platform takes goes out in numbered parts.
pub(super) async fn post(workshop: &Workshop, key: &RobotKey, post: &Post) -> Outcome {
    let bodies = match bodies(post) {
        Ok(bodies) if bodies.is_empty() => return Outcome::Final("没有要发的内容".into()),
        Ok(bodies) => bodies,
        Err(reason) => return Outcome::Final(reason.into()),
    };
    if let Err(outcome) = workshop.pace.admit(&key.token, TWENTY_A_MINUTE, bodies.len()).await {
        return outcome;
    }
    if let Post::File { name, bytes } = post {
        // Uploading posts nothing yet: whatever happens to it, the post may be tried again.
        return match upload(workshop, key, name, bytes).await {
            Ok(media) => send(workshop, key, &json!({"msgtype": "file", "file": {"media_id": media}})).await,
            Err(outcome) => outcome,
        };
    }
    workshop.one_after_the_other(GroupKind::WecomRobot, key, bodies).await
}

/// What is sent, one after the other; for a file nothing yet but its place.
pub(super) fn bodies(post: &Post) -> Result<Vec<Value>, &'static str> {
    let split = |text: &str, longest: usize, body: fn(&str) -> Value| {
        Ok(parts(text, longest, str::len).iter().map(|part| body(part)).collect())
    };
    match post {
        Post::Text { content, mentioned } => {
            let mut bodies: Vec<_> = parts(content, LONGEST_TEXT, str::len)
                .iter()
                .map(|part| json!({"msgtype": "text", "text": {"content": part}}))
                .collect();
            // Of nothing but blanks there are no parts.
            if let Some(first) = bodies.first_mut() {
                first["text"]["mentioned_list"] = json!(mentioned);
            }
            Ok(bodies)
        }
        Post::Markdown(text) => {
            split(text, LONGEST_MARKDOWN, |part| json!({"msgtype": "markdown", "markdown": {"content": part}}))
        }
        Post::RichMarkdown(text) => {
            split(text, LONGEST_MARKDOWN, |part| json!({"msgtype": "markdown_v2", "markdown_v2": {"content": part}}))
        }
        Post::Image { bytes } if bytes.len() > LARGEST_IMAGE => Err("图片超过2MB，企业微信机器人不收"),
        Post::Image { bytes } => Ok(vec![json!({"msgtype": "image", "image": {
            "base64": STANDARD.encode(bytes), "md5": hex::encode(Md5::digest(bytes)),
        }})]),
        Post::File { bytes, .. } if !FILE_BYTES.contains(&bytes.len()) => Err("文件要有6字节至20MB"),
        Post::File { .. } => Ok(vec![Value::Null]),
        Post::Card(card) => Ok(vec![json!({"msgtype": "template_card", "template_card": card.value()})]),
    }
}

pub(super) async fn send(workshop: &Workshop, key: &RobotKey, body: &Value) -> Outcome {
    let request = workshop
        .client
        .post(format!("{}/cgi-bin/webhook/send", workshop.base))
        .query(&[("key", &key.token)])
        .json(body);
    match workshop.ask(request).await {
        Ok(answer) => match exchange::code(&answer, "errcode") {
            Some(code) => workshop.settled(key, meaning(Place::WeComRobot, code)).await,
            // A robot always says 0: anything else is no success.
            None => Outcome::Unknown("企业微信的回应看不懂，不知道是否已发出".into()),
        },
        Err(outcome) => outcome,
    }
}

/// The file's id at the platform, good for three days and for this robot only.
async fn upload(workshop: &Workshop, key: &RobotKey, name: &str, bytes: &[u8]) -> Result<String, Outcome> {
    let now = workshop.now();
    let form = Form::new().part("media", Part::bytes(bytes.to_vec()).file_name(name.to_owned()));
    let request = workshop
        .client
        .post(format!("{}/cgi-bin/webhook/upload_media", workshop.base))
        .query(&[("key", key.token.as_str()), ("type", "file")])
        .timeout(PATIENCE_FOR_UPLOADS)
        .multipart(form);
    let later = |reason: &str| Meaning::later(2, reason).outcome(now);
    let answer = exchange::json(request, PLATFORM).await.map_err(|_| later("文件没有传到企业微信"))?;
    match (exchange::code(&answer, "errcode").unwrap_or(0), answer["media_id"].as_str()) {
        (0, Some(media)) => Ok(media.to_owned()),
        (0, None) => Err(later("企业微信没有给文件编号")),
        (code, _) => Err(workshop.settled(key, meaning(Place::WeComRobot, code)).await),
    }
}

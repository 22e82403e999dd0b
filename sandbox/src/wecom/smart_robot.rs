//! The smart robot: what people write to it, alone or with a mention in a group, is pushed encrypted as JSON, and answered
//! in the answer.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    Sandbox, crypt,
    journal::{Content, Platform, Push, PushResult, Recipient},
    wechat::{PushOutcome, Target},
};

/// Longest answer.
const ANSWER_BYTES: usize = 64 * 1024;
const CONTENT_BYTES: usize = 20_480;

/// What somebody tells the robot.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum RobotMessage {
    Text {
        text: String,
    },
    Voice {
        /// What the platform understood.
        text: String,
    },
    Image,
    /// Words and a picture in one message.
    Mixed {
        text: String,
    },
    /// Opens the chat for the first time today.
    Enter,
}

/// The fields that the platform sends in any case.
fn frame(user_id: &str, group: Option<&str>, message: &RobotMessage) -> Value {
    let id = hex::encode(rand::random::<[u8; 16]>());
    let mut frame = json!({
        "msgid": id, "aibotid": "aib-sandbox", "from": {"userid": user_id},
        "response_url": format!("https://qyapi.weixin.qq.com/cgi-bin/aibot/response?response_code={id}"),
        "chattype": if group.is_some() { "group" } else { "single" },
    });
    if let Some(group) = group {
        frame["chatid"] = group.into();
    }
    // In groups only what mentions the robot is told to it.
    let words = |text: &str| if group.is_some() { format!("@清风机器人 {text}") } else { text.to_owned() };
    let picture = json!({"url": "https://ww-aibot-img.example/encrypted"});
    let (kind, content) = match message {
        RobotMessage::Text { text } => ("text", json!({"content": words(text)})),
        RobotMessage::Voice { text } => ("voice", json!({"content": text})),
        RobotMessage::Image => ("image", picture),
        RobotMessage::Mixed { text } => (
            "mixed",
            json!({"msg_item": [
                {"msgtype": "text", "text": {"content": words(text)}}, {"msgtype": "image", "image": picture}]}),
        ),
        RobotMessage::Enter => ("event", json!({"eventtype": "enter_chat"})),
    };
    frame["msgtype"] = kind.into();
    frame[kind] = content;
    frame
}

/// Delivers until it is answered, as often as the platform does; the answer stands where it was asked.
pub(crate) async fn tell(sandbox: &Sandbox, user_id: &str, group: Option<&str>, message: &RobotMessage) -> PushOutcome {
    let Some(target) = Target::robot(&sandbox.wecom_account()) else { return PushOutcome::NotConfigured };
    let body = frame(user_id, group, message).to_string();
    for delivery in 1..=sandbox.push_deliveries() {
        let (result, outcome) = deliver(sandbox, &target, &body, matches!(message, RobotMessage::Enter)).await;
        let push =
            Push { at: sandbox.now(), openid: user_id.to_owned(), subject: "smart_robot".into(), delivery, result };
        sandbox.state().journal.push(push);
        if let Some(outcome) = outcome {
            if let PushOutcome::Replied(text) = &outcome {
                let to = match group {
                    Some(group) => Recipient::Group(group.to_owned()),
                    None => Recipient::WeComUser(user_id.to_lowercase()),
                };
                let content = Content::Markdown { text: text.clone() };
                let now = sandbox.now();
                sandbox.state().journal.deliver(now, Platform::WeCom, to, content);
            }
            return outcome;
        }
    }
    PushOutcome::Failed
}

async fn deliver(sandbox: &Sandbox, target: &Target, body: &str, entered: bool) -> (PushResult, Option<PushOutcome>) {
    let Some(key) = &target.key else { return (PushResult::NoAnswer, None) };
    let (timestamp, nonce) = (sandbox.now().timestamp().to_string(), rand::random::<u32>().to_string());
    let encrypted = crypt::seal(key, &target.receiver, body);
    let signature = crypt::signature(vec![&target.token, &timestamp, &nonce, &encrypted]);
    let sent = sandbox
        .client()
        .post(&target.address)
        .query(&[("msg_signature", &signature), ("timestamp", &timestamp), ("nonce", &nonce)])
        .json(&json!({"encrypt": encrypted}))
        .timeout(sandbox.push_patience())
        .send()
        .await;
    let answer = match sent {
        Ok(response) if response.status().as_u16() == 200 => response.bytes().await,
        Ok(response) => return (PushResult::Status(response.status().as_u16()), None),
        Err(_) => return (PushResult::NoAnswer, None),
    };
    let Ok(answer) = answer else { return (PushResult::NoAnswer, None) };
    let text = std::str::from_utf8(&answer).unwrap_or("\u{fffd}").trim();
    if text.is_empty() || text == "success" {
        return (PushResult::Handled, Some(PushOutcome::Handled));
    }
    let reply = (answer.len() <= ANSWER_BYTES).then(|| reply(text, target, key, entered)).flatten();
    match reply {
        Some(reply) => (PushResult::Replied, Some(PushOutcome::Replied(reply))),
        None => (PushResult::Malformed, Some(PushOutcome::Failed)),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    encrypt: String,
    msgsignature: String,
    timestamp: i64,
    nonce: String,
}

#[derive(Deserialize)]
#[serde(tag = "msgtype", rename_all = "snake_case", deny_unknown_fields)]
enum Reply {
    /// Only for whoever opens the chat.
    Text {
        text: Text,
    },
    Stream {
        stream: Stream,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    content: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stream {
    id: String,
    finish: bool,
    content: String,
}

/// The words of an answer that is sealed, signed and written as it should be.
fn reply(text: &str, target: &Target, key: &str, entered: bool) -> Option<String> {
    let envelope: Envelope = serde_json::from_str(text).ok()?;
    let timestamp = envelope.timestamp.to_string();
    let signature = crypt::signature(vec![&target.token, &timestamp, &envelope.nonce, &envelope.encrypt]);
    if signature != envelope.msgsignature {
        return None;
    }
    let content = match serde_json::from_str(&crypt::open(key, &target.receiver, &envelope.encrypt)?).ok()? {
        Reply::Text { text } if entered => text.content,
        // This simulator does not ask on: an answer is given at once and whole.
        Reply::Stream { stream } if stream.finish && !stream.id.is_empty() => stream.content,
        _ => return None,
    };
    (!content.trim().is_empty() && content.len() <= CONTENT_BYTES).then_some(content)
}

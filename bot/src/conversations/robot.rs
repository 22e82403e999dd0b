//! What the smart robot of WeCom is told: by one person, or in a group when somebody mentions it.

use serde::Deserialize;
use serde_json::Value;

use super::LONGEST_PUSH;

/// A message to the robot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) message_id: String,
    pub(super) user_id: String,
    pub(super) in_group: bool,
    pub(super) what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// Words, be they written, among pictures, or understood from speech; without the mention of the robot.
    Words(String),
    Picture,
    /// Somebody opened the chat for the first time today.
    Entered,
    /// Something that asks for no answer.
    Nothing,
}

#[derive(Deserialize)]
struct Frame {
    msgid: String,
    #[serde(default)]
    chattype: String,
    #[serde(default)]
    from: From,
    msgtype: String,
    #[serde(default)]
    text: Words,
    #[serde(default)]
    voice: Words,
    #[serde(default)]
    mixed: Value,
    #[serde(default)]
    event: Event,
}

#[derive(Default, Deserialize)]
struct From {
    #[serde(default)]
    userid: String,
}

#[derive(Default, Deserialize)]
struct Words {
    #[serde(default)]
    content: String,
}

#[derive(Default, Deserialize)]
struct Event {
    #[serde(default)]
    eventtype: String,
}

impl Told {
    /// None for what is no message of the platform.
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(body).ok().filter(|text| text.len() <= LONGEST_PUSH)?;
        let frame: Frame = serde_json::from_str(text).ok()?;
        let in_group = match frame.chattype.as_str() {
            "group" => true,
            "single" => false,
            // Events have none; what is not known to be private is answered as if everybody read it.
            _ => frame.msgtype != "event",
        };
        let what = match frame.msgtype.as_str() {
            "text" => What::Words(without_mention(&frame.text.content)),
            "voice" => What::Words(without_mention(&frame.voice.content)),
            "mixed" => What::Words(without_mention(&words_among_pictures(&frame.mixed))),
            "image" | "file" | "video" => What::Picture,
            "event" if frame.event.eventtype == "enter_chat" => What::Entered,
            _ => What::Nothing,
        };
        let is_addressed = !frame.msgid.is_empty() && !frame.from.userid.is_empty();
        is_addressed.then_some(Self { message_id: frame.msgid, user_id: frame.from.userid, in_group, what })
    }
}

/// The parts that are text. The field itself may come as a text that holds JSON.
fn words_among_pictures(mixed: &Value) -> String {
    let parsed = mixed.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
    let items = parsed.as_ref().unwrap_or(mixed)["msg_item"].as_array().cloned().unwrap_or_default();
    let words =
        items.iter().filter(|item| item["msgtype"] == "text").filter_map(|item| item["text"]["content"].as_str());
    words.collect::<Vec<_>>().join("\n")
}

/// In groups a message begins with the robot's name.
fn without_mention(text: &str) -> String {
    let text = text.trim();
    match text.strip_prefix('@') {
        Some(mention) => mention.split_once(char::is_whitespace).map_or("", |(_, rest)| rest).trim().to_owned(),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn frame(kind: &str, more: Value) -> Vec<u8> {
        let mut frame = json!({
            "msgid": "m1", "aibotid": "b1", "chatid": "c1", "chattype": "group", "from": {"userid": "u1"},
            "response_url": "https://qyapi.weixin.qq.com/x", "msgtype": kind,
        });
        frame.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        frame.to_string().into_bytes()
    }

    #[rstest]
    #[case("text", json!({"text": {"content": "@清风机器人 公示"}}), What::Words("公示".into()))]
    #[case("text", json!({"text": {"content": "@清风机器人\u{2005}帮助"}}), What::Words("帮助".into()))]
    #[case("text", json!({"text": {"content": "@清风机器人"}}), What::Words(String::new()))]
    #[case("text", json!({"text": {"content": "帮助"}}), What::Words("帮助".into()))]
    #[case("voice", json!({"voice": {"content": "公示"}}), What::Words("公示".into()))]
    #[case("mixed", json!({"mixed": {"msg_item": [
        {"msgtype": "text", "text": {"content": "@清风 看"}}, {"msgtype": "image", "image": {"url": "u"}},
        {"msgtype": "text", "text": {"content": "这里"}}]}}), What::Words("看\n这里".into()))]
    #[case("mixed", json!({"mixed": "{\"msg_item\":[{\"msgtype\":\"text\",\"text\":{\"content\":\"公示\"}}]}"}), What::Words("公示".into()))]
    #[case("image", json!({"image": {"url": "u"}}), What::Picture)]
    #[case("event", json!({"event": {"eventtype": "enter_chat"}}), What::Entered)]
    #[case("event", json!({"event": {"eventtype": "feedback_event"}}), What::Nothing)]
    #[case("stream", json!({"stream": {"id": "s"}}), What::Nothing)]
    fn messages_are_read(#[case] kind: &str, #[case] more: Value, #[case] expected: What) {
        assert_eq!(Told::parse(&frame(kind, more)).unwrap().what, expected);
    }

    #[test]
    fn what_is_not_known_to_be_private_is_public() {
        let unknown = frame("text", json!({"chattype": "", "text": {"content": "待办"}}));
        assert!(Told::parse(&unknown).unwrap().in_group);
        for nonsense in ["", "{}", "[]", "<xml></xml>", r#"{"msgid":"","msgtype":"text","from":{"userid":"u"}}"#] {
            assert_eq!(Told::parse(nonsense.as_bytes()), None, "{nonsense}");
        }
    }
}

//! The platform's message push in plain mode: who sent it, what it says, how an answer is written. Mini-programs choose
//! between XML and JSON; official accounts have XML only.

use std::collections::BTreeMap;

use quick_xml::{Reader, events::Event};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::callbacks::is_same;

/// Longest body, in bytes.
pub const LONGEST_PUSH: usize = 64 * 1024;

/// The platform's signature, in the query of every push.
#[derive(Clone, Debug, serde::Deserialize)]
pub struct Signature {
    pub signature: String,
    pub timestamp: String,
    pub nonce: String,
}

impl Signature {
    /// Whether somebody who knows the token made it.
    #[must_use]
    pub fn is_by(&self, token: &str) -> bool {
        let mut parts = [token, &self.timestamp, &self.nonce];
        parts.sort_unstable();
        let expected = sha1_smol::Sha1::from(parts.concat()).digest().to_string();
        is_same(&expected, &self.signature)
    }
}

/// What was pushed.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Push {
    /// The account's own address.
    pub to: String,
    /// The person's openid.
    pub from: String,
    pub created_at: String,
    pub kind: String,
    pub event: String,
    /// Which button was tapped.
    pub event_key: String,
    /// By which a card's taps are known.
    pub task_id: String,
    /// With which the card can be changed, once.
    pub response_code: String,
    /// The application at WeCom; empty for the account.
    pub agent_id: String,
    pub content: String,
    /// What the platform understood of a voice note.
    pub recognition: String,
    /// By which a photo or a voice note is fetched from the platform.
    pub media_id: String,
    /// What the map calls a place. Where exactly it is, is not read.
    pub label: String,
    pub message_id: String,
    /// By which the platform named a message of ours when it took it, …
    pub sent_id: String,
    /// … and what became of it.
    pub status: String,
    /// By which the platform named a check of a picture.
    pub trace_id: String,
    /// The list of an event about subscribe messages.
    pub items: Vec<Item>,
}

impl Push {
    /// Whether it asks for no answer and something has to be done after it.
    #[must_use]
    pub fn is_for_later(&self) -> bool {
        let is_answered = ["subscribe", "CLICK", "click", "enter_agent", "user_enter_tempsession"];
        self.kind == "event" && !is_answered.contains(&self.event.as_str())
    }
}

/// One entry of an event's list.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Item(BTreeMap<String, String>);

impl Item {
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|text| text.trim())
    }
}

impl Push {
    /// None for what is not a message of the platform.
    #[must_use]
    pub fn parse(body: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(body).ok().filter(|text| text.len() <= LONGEST_PUSH)?;
        let push = if text.trim_start().starts_with('{') { Self::from_json(text) } else { Self::from_xml(text) }?;
        (!push.from.is_empty() && !push.to.is_empty() && !push.kind.is_empty()).then_some(push)
    }

    /// Numbers may come as strings and the other way round; a list of one is no list.
    fn from_json(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        let field = |name: &str| plain(&value[name]).unwrap_or_default();
        let entries = match &value["List"] {
            Value::Array(entries) => entries.clone(),
            entry @ Value::Object(_) => vec![entry.clone()],
            _ => Vec::new(),
        };
        let item = |entry: &Value| {
            let fields = entry.as_object().into_iter().flatten();
            Item(fields.filter_map(|(name, value)| Some((name.clone(), plain(value)?))).collect())
        };
        Some(Self {
            to: field("ToUserName"),
            from: field("FromUserName"),
            created_at: field("CreateTime"),
            kind: field("MsgType"),
            event: field("Event"),
            event_key: field("EventKey"),
            task_id: field("TaskId"),
            response_code: field("ResponseCode"),
            agent_id: field("AgentID"),
            content: field("Content"),
            recognition: field("Recognition"),
            media_id: field("MediaId"),
            label: field("Label"),
            message_id: field("MsgId"),
            sent_id: field("MsgID"),
            status: field("Status"),
            trace_id: field("trace_id"),
            items: entries.iter().map(item).collect(),
        })
    }

    fn from_xml(text: &str) -> Option<Self> {
        let mut reader = Reader::from_str(text);
        let mut path: Vec<String> = Vec::new();
        let mut push = Self::default();
        loop {
            let text = match reader.read_event().ok()? {
                Event::Start(start) => {
                    path.push(String::from_utf8(start.name().as_ref().to_vec()).ok()?);
                    if let [_, _, list] = path.as_slice()
                        && list == "List"
                    {
                        push.items.push(Item::default());
                    }
                    continue;
                }
                Event::End(_) => {
                    path.pop();
                    continue;
                }
                Event::CData(data) => data.decode().ok()?.into_owned(),
                Event::Text(text) => text.decode().ok()?.into_owned(),
                Event::GeneralRef(reference) => match &*reference.decode().ok()? {
                    "lt" => "<".to_owned(),
                    "gt" => ">".to_owned(),
                    "amp" => "&".to_owned(),
                    "quot" => "\"".to_owned(),
                    "apos" => "'".to_owned(),
                    _ => reference.resolve_char_ref().ok()??.to_string(),
                },
                Event::Eof => break,
                _ => continue,
            };
            if let [_, _, list, name] = path.as_slice()
                && list == "List"
                && let Some(item) = push.items.last_mut()
            {
                item.0.entry(name.clone()).or_default().push_str(&text);
            }
            let [root, name] = path.as_slice() else { continue };
            let field = match (root.as_str(), name.as_str()) {
                ("xml", "ToUserName") => &mut push.to,
                ("xml", "FromUserName") => &mut push.from,
                ("xml", "CreateTime") => &mut push.created_at,
                ("xml", "MsgType") => &mut push.kind,
                ("xml", "Event") => &mut push.event,
                ("xml", "EventKey") => &mut push.event_key,
                ("xml", "TaskId") => &mut push.task_id,
                ("xml", "ResponseCode") => &mut push.response_code,
                ("xml", "AgentID") => &mut push.agent_id,
                ("xml", "Content") => &mut push.content,
                ("xml", "Recognition") => &mut push.recognition,
                ("xml", "MediaId") => &mut push.media_id,
                ("xml", "Label") => &mut push.label,
                ("xml", "MsgId") => &mut push.message_id,
                ("xml", "MsgID") => &mut push.sent_id,
                ("xml", "Status") => &mut push.status,
                ("xml", "trace_id") => &mut push.trace_id,
                _ => continue,
            };
            field.push_str(&text);
        }
        path.is_empty().then_some(push)
    }

    /// The same for every delivery of one push. Whoever knows a person and guesses the second can work it out: what is kept
    /// under it is kept under its pseudonym.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        let named = [&self.event, &self.event_key, &self.task_id, &self.agent_id, &self.message_id];
        let told = [&self.sent_id, &self.status, &self.trace_id];
        for part in [&self.to, &self.from, &self.created_at, &self.kind].into_iter().chain(named).chain(told) {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        // Two events of one person in one second are told apart by what they are about.
        for (name, value) in self.items.iter().flat_map(|item| &item.0) {
            hash.update(name.as_bytes());
            hash.update([0]);
            hash.update(value.as_bytes());
            hash.update([0]);
        }
        hex::encode(hash.finalize())
    }

    /// An answer to this push, from the account to the person.
    #[must_use]
    pub fn answer(&self, text: &str, at: chrono::DateTime<chrono::Utc>) -> String {
        format!(
            "<xml>{}{}<CreateTime>{}</CreateTime>{}{}</xml>",
            element("ToUserName", &self.from),
            element("FromUserName", &self.to),
            at.timestamp(),
            element("MsgType", "text"),
            element("Content", text),
        )
    }
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// An element with any text; the end of a CDATA section inside the text is split in two.
fn element(name: &str, text: &str) -> String {
    format!("<{name}><![CDATA[{}]]></{name}>", text.replace("]]>", "]]]]><![CDATA[>"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_read_and_answered_in_the_other_direction() {
        let body = "<xml><ToUserName><![CDATA[gh]]></ToUserName><FromUserName>o1</FromUserName><CreateTime>7</CreateTime>\
                    <MsgType>text</MsgType><Content>1 &lt; 2 <![CDATA[& 3]]></Content><MsgId>24000000000000001</MsgId></xml>";
        let push = Push::parse(body.as_bytes()).unwrap();
        assert_eq!((push.from.as_str(), push.content.as_str()), ("o1", "1 < 2 & 3"));
        let answer = Push::parse(push.answer("好]]>的", "2026-03-02T01:00:00Z".parse().unwrap()).as_bytes()).unwrap();
        assert_eq!((answer.to.as_str(), answer.from.as_str(), answer.content.as_str()), ("o1", "gh", "好]]>的"));
    }

    #[test]
    fn an_events_list_is_read_from_xml_and_from_json_with_one_entry_or_more() {
        let xml = |entries: &str| {
            format!(
                "<xml><ToUserName>gh</ToUserName><FromUserName>o1</FromUserName><CreateTime>7</CreateTime>\
                 <MsgType>event</MsgType><Event>subscribe_msg_popup_event</Event>\
                 <SubscribeMsgPopupEvent>{entries}</SubscribeMsgPopupEvent></xml>"
            )
        };
        let json = |list: &str| {
            format!(
                r#"{{"ToUserName":"gh","FromUserName":"o1","CreateTime":7,"MsgType":"event",
                "Event":"subscribe_msg_popup_event","List":{list}}}"#
            )
        };
        let entry = |id: &str| format!("<List><TemplateId>{id}</TemplateId><PopupScene>0</PopupScene></List>");
        let object = |id: &str| format!(r#"{{"TemplateId":"{id}","PopupScene":0}}"#);
        let one = Push::parse(xml(&entry("a")).as_bytes()).unwrap();
        let two = Push::parse(xml(&(entry("a") + &entry("b"))).as_bytes()).unwrap();
        assert_eq!(Push::parse(json(&object("a")).as_bytes()), Some(one.clone()));
        assert_eq!(Push::parse(json(&format!("[{},{}]", object("a"), object("b"))).as_bytes()), Some(two.clone()));
        let templates = |push: &Push| {
            push.items.iter().filter_map(|item| Some(item.field("TemplateId")?.to_owned())).collect::<Vec<_>>()
        };
        assert_eq!((templates(&one), templates(&two)), (vec!["a".into()], vec!["a".into(), "b".into()]));
        assert_ne!(one.digest(), Push::parse(xml(&entry("b")).as_bytes()).unwrap().digest());
    }

    #[test]
    fn what_is_no_message_is_not_read() {
        for body in ["", "<xml>", "<xml><FromUserName>o1</FromUserName></xml>", "{}", "<xml></xml></xml>"] {
            assert_eq!(Push::parse(body.as_bytes()), None, "{body}");
        }
        assert_eq!(Push::parse(&[0xff, 0xfe]), None);
    }

    #[test]
    fn only_who_knows_the_token_signs() {
        let digest = sha1_smol::Sha1::from("12345170000000token").digest().to_string();
        let signed = |signature: &str| Signature {
            signature: signature.into(),
            timestamp: "170000000".into(),
            nonce: "12345".into(),
        };
        assert!(signed(&digest).is_by("token"));
        assert!(!signed(&digest).is_by("other"));
        assert!(!signed(&digest[1..]).is_by("token"));
        assert!(!signed("").is_by("token"));
    }
}

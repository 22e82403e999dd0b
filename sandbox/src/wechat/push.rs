//! What the platform pushes to the account's server: messages of a person and events, as XML in plain mode; events also as JSON,
//! as mini-programs may choose.

use quick_xml::{Reader, events::Event as XmlEvent};
use serde_json::{Value, json};

use super::grant_replies;
use crate::{
    Sandbox,
    journal::{Content, Platform, Push, PushResult, Recipient},
    settings::{Account, EventFormat},
};

/// A server's answer longer than this is malformed.
const ANSWER_BYTES: usize = 64 * 1024;

/// What came of a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PushOutcome {
    /// The account has no callback address.
    NotConfigured,
    /// Taken without a reply.
    Handled,
    /// Taken with a reply in the chat.
    Replied(String),
    /// Every delivery failed or was answered with something malformed.
    Failed,
}

/// An event that follows from what a person or the platform does.
pub(crate) enum Event {
    /// Template and whether it was accepted, of everything the pop-up asked for.
    Popup {
        choices: Vec<(String, bool)>,
    },
    Changed {
        template_id: String,
    },
    /// What became of a message that was taken; code 0 = it arrived.
    Sent {
        template_id: String,
        message_id: u64,
        code: i64,
    },
}

type Fields = Vec<(&'static str, String)>;

impl Event {
    fn name(&self) -> &'static str {
        match self {
            Self::Popup { .. } => "subscribe_msg_popup_event",
            Self::Changed { .. } => "subscribe_msg_change_event",
            Self::Sent { .. } => "subscribe_msg_sent_event",
        }
    }

    /// The element around the list in XML.
    fn wrapper(&self) -> &'static str {
        match self {
            Self::Popup { .. } => "SubscribeMsgPopupEvent",
            Self::Changed { .. } => "SubscribeMsgChangeEvent",
            Self::Sent { .. } => "SubscribeMsgSentEvent",
        }
    }

    fn items(&self) -> Vec<Fields> {
        let status = |accepted: bool| if accepted { "accept" } else { "reject" };
        match self {
            Self::Popup { choices } => choices
                .iter()
                .map(|(template_id, accepted)| {
                    vec![
                        ("TemplateId", template_id.clone()),
                        ("SubscribeStatusString", status(*accepted).into()),
                        ("PopupScene", "0".into()),
                    ]
                })
                .collect(),
            Self::Changed { template_id } => {
                vec![vec![("TemplateId", template_id.clone()), ("SubscribeStatusString", status(false).into())]]
            }
            Self::Sent { template_id, message_id, code } => vec![vec![
                ("TemplateId", template_id.clone()),
                ("MsgID", message_id.to_string()),
                ("ErrorCode", code.to_string()),
                ("ErrorStatus", if *code == 0 { "success" } else { "failed" }.into()),
            ]],
        }
    }

    fn xml(&self) -> String {
        let item = |fields: Fields| {
            let fields: String = fields.iter().map(|(name, value)| element(name, value)).collect();
            format!("<List>{fields}</List>")
        };
        let list: String = self.items().into_iter().map(item).collect();
        format!("<{0}>{list}</{0}>", self.wrapper())
    }

    /// One entry stands alone, several in an array, as on the real platform.
    fn json(&self) -> Value {
        let item = |fields: Fields| -> Value { fields.into_iter().collect() };
        let mut items: Vec<Value> = self.items().into_iter().map(item).collect();
        if items.len() == 1 { items.remove(0) } else { Value::Array(items) }
    }
}

/// The person writes to the official account.
pub(crate) async fn push_text(sandbox: &Sandbox, openid: &str, text: &str) -> PushOutcome {
    let now = sandbox.now();
    let message_id = {
        let state = &mut *sandbox.state();
        let content = Content::FromPhone { text: text.to_owned() };
        state.journal.deliver(now, Platform::WeChat, Recipient::Account(openid.to_owned()), content);
        grant_replies(state, openid, now);
        state.last_message_id += 1;
        // As long as the real ones, beyond what a double can hold exactly.
        24_000_000_000_000_000 + state.last_message_id
    };
    let parts = format!("{}{}<MsgId>{message_id}</MsgId>", element("MsgType", "text"), element("Content", text));
    let body = envelope(&sandbox.account(), openid, now.timestamp(), &parts);
    let outcome = push(sandbox, openid, "text", &body).await;
    let content = match &outcome {
        PushOutcome::Replied(text) => Content::PassiveReply { text: text.clone() },
        PushOutcome::Failed => Content::ServiceUnavailable,
        PushOutcome::NotConfigured | PushOutcome::Handled => return outcome,
    };
    let now = sandbox.now();
    sandbox.state().journal.deliver(now, Platform::WeChat, Recipient::Phone(openid.to_owned()), content);
    outcome
}

/// An event; a reply to one is not shown by this simulator.
pub(crate) async fn push_event(sandbox: &Sandbox, openid: &str, event: &Event) -> PushOutcome {
    let account = sandbox.state().account.clone();
    let body = match account.event_format {
        EventFormat::Xml => {
            let parts = format!("{}{}{}", element("MsgType", "event"), element("Event", event.name()), event.xml());
            envelope(&account, openid, sandbox.now().timestamp(), &parts)
        }
        EventFormat::Json => json!({
            "ToUserName": account.original_id,
            "FromUserName": openid,
            "CreateTime": sandbox.now().timestamp(),
            "MsgType": "event",
            "Event": event.name(),
            "List": event.json(),
        })
        .to_string(),
    };
    push(sandbox, openid, event.name(), &body).await
}

fn envelope(account: &Account, openid: &str, at: i64, parts: &str) -> String {
    format!(
        "<xml>{}{}<CreateTime>{at}</CreateTime>{parts}</xml>",
        element("ToUserName", &account.original_id),
        element("FromUserName", openid),
    )
}

async fn push(sandbox: &Sandbox, openid: &str, subject: &str, body: &str) -> PushOutcome {
    let account = sandbox.state().account.clone();
    let Some(address) = account.callback_url.clone() else { return PushOutcome::NotConfigured };
    for delivery in 1..=sandbox.push_deliveries() {
        let (result, outcome) = deliver(sandbox, &account, &address, openid, body).await;
        let at = sandbox.now();
        let (openid, subject) = (openid.to_owned(), subject.to_owned());
        sandbox.state().journal.push(Push { at, openid, subject, delivery, result });
        if let Some(outcome) = outcome {
            return outcome;
        }
    }
    PushOutcome::Failed
}

/// One delivery. Without an outcome the platform delivers again.
async fn deliver(
    sandbox: &Sandbox,
    account: &Account,
    address: &str,
    openid: &str,
    body: &str,
) -> (PushResult, Option<PushOutcome>) {
    let timestamp = sandbox.now().timestamp().to_string();
    let nonce = u32::from_be_bytes(rand::random()).to_string();
    let signature = signature(&account.callback_token, &timestamp, &nonce);
    let sent = sandbox
        .client()
        .post(address)
        .query(&[("signature", &*signature), ("timestamp", &*timestamp), ("nonce", &*nonce), ("openid", openid)])
        .header("content-type", if body.starts_with('{') { "application/json" } else { "text/xml" })
        .body(body.to_owned())
        .timeout(sandbox.push_patience())
        .send()
        .await;
    let response = match sent {
        Ok(response) if response.status().is_success() => response,
        Ok(response) => return (PushResult::Status(response.status().as_u16()), None),
        Err(_) => return (PushResult::NoAnswer, None),
    };
    let Ok(answer) = response.bytes().await else { return (PushResult::NoAnswer, None) };
    let text = std::str::from_utf8(&answer).unwrap_or("\u{fffd}").trim();
    if text.is_empty() || text == "success" {
        return (PushResult::Handled, Some(PushOutcome::Handled));
    }
    let reply = if answer.len() > ANSWER_BYTES { None } else { text_reply(text, openid, &account.original_id) };
    match reply {
        Some(reply) => (PushResult::Replied, Some(PushOutcome::Replied(reply))),
        None => (PushResult::Malformed, Some(PushOutcome::Failed)),
    }
}

/// The sorted strings, one after the other, as SHA-1 in lower-case hexadecimal.
fn signature(token: &str, timestamp: &str, nonce: &str) -> String {
    let mut parts = [token, timestamp, nonce];
    parts.sort_unstable();
    sha1_smol::Sha1::from(parts.concat()).digest().to_string()
}

/// An element with any text; the end of a CDATA section inside the text is split in two.
fn element(name: &str, text: &str) -> String {
    format!("<{name}><![CDATA[{}]]></{name}>", text.replace("]]>", "]]]]><![CDATA[>"))
}

/// The text of a passive reply that is addressed to the person by the account; anything else is malformed.
fn text_reply(xml: &str, openid: &str, original_id: &str) -> Option<String> {
    let mut reader = Reader::from_str(xml);
    let mut path: Vec<String> = Vec::new();
    let mut fields = std::collections::HashMap::<String, String>::new();
    loop {
        let text = match reader.read_event().ok()? {
            XmlEvent::Start(start) => {
                path.push(String::from_utf8(start.name().as_ref().to_vec()).ok()?);
                continue;
            }
            XmlEvent::End(_) => {
                path.pop();
                continue;
            }
            XmlEvent::CData(data) => data.decode().ok()?.into_owned(),
            XmlEvent::Text(text) => text.decode().ok()?.into_owned(),
            XmlEvent::GeneralRef(reference) => match &*reference.decode().ok()? {
                "lt" => "<".to_owned(),
                "gt" => ">".to_owned(),
                "amp" => "&".to_owned(),
                "quot" => "\"".to_owned(),
                "apos" => "'".to_owned(),
                _ => reference.resolve_char_ref().ok()??.to_string(),
            },
            XmlEvent::Eof => break,
            _ => continue,
        };
        if let [root, name] = path.as_slice()
            && root == "xml"
        {
            fields.entry(name.clone()).or_default().push_str(&text);
        }
    }
    let field = |name: &str| fields.get(name).map(|text| text.trim());
    let addressed = field("ToUserName") == Some(openid) && field("FromUserName") == Some(original_id);
    let dated = field("CreateTime").is_some_and(|at| at.parse::<i64>().is_ok());
    let text = fields.get("Content").filter(|text| !text.trim().is_empty() && text.len() <= 2048);
    if path.is_empty() && addressed && dated && field("MsgType") == Some("text") { text.cloned() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_platforms() {
        assert_eq!(signature("token", "1700000000", "12345"), {
            sha1_smol::Sha1::from("123451700000000token").digest().to_string()
        });
    }

    #[test]
    fn a_reply_may_be_written_as_cdata_or_with_references() {
        let reply = |content: &str| {
            format!(
                "<xml><ToUserName>o1</ToUserName><FromUserName>gh</FromUserName><CreateTime>1</CreateTime>\
                 <MsgType>text</MsgType><Content>{content}</Content></xml>"
            )
        };
        assert_eq!(text_reply(&reply("1 &lt; 2 &#33;"), "o1", "gh").as_deref(), Some("1 < 2 !"));
        assert_eq!(text_reply(&reply("<![CDATA[a]]]]><![CDATA[>b]]>"), "o1", "gh").as_deref(), Some("a]]>b"));
        assert_eq!(text_reply(&reply("hello"), "o2", "gh"), None, "addressed to somebody else");
        assert_eq!(text_reply(&reply(""), "o1", "gh"), None);
        assert_eq!(text_reply("not xml", "o1", "gh"), None);
        assert_eq!(text_reply("<xml><ToUserName>", "o1", "gh"), None);
    }
}

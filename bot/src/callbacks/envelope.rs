//! The outside of an encrypted push, as XML or JSON.

use quick_xml::{Reader, events::Event};
use serde_json::{Value, json};

/// An encrypted text and how it came.
pub(super) struct Envelope {
    pub(super) encrypted: String,
    form: Form,
}

enum Form {
    Xml,
    Json,
}

impl Envelope {
    /// None for what is no envelope. What else stands in it, unencrypted, is nobody's word.
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(body).ok()?;
        let (encrypted, form) = if text.trim_start().starts_with('{') {
            let value: Value = serde_json::from_str(text).ok()?;
            let encrypted = ["Encrypt", "encrypt"].into_iter().find_map(|name| value[name].as_str())?;
            (encrypted.to_owned(), Form::Json)
        } else {
            (element(text, "Encrypt")?, Form::Xml)
        };
        let encrypted = encrypted.trim().to_owned();
        (!encrypted.is_empty()).then_some(Self { encrypted, form })
    }

    /// The answer to the smart robot's platform, whose names are in small letters.
    pub(super) fn answer_of_robot(encrypted: &str, signature: &str, timestamp: &str, nonce: &str) -> String {
        json!({
            "encrypt": encrypted, "msgsignature": signature, "nonce": nonce,
            "timestamp": timestamp.parse::<i64>().unwrap_or_default(),
        })
        .to_string()
    }

    pub(super) fn answer(&self, encrypted: &str, signature: &str, timestamp: &str, nonce: &str) -> String {
        match self.form {
            Form::Xml => format!(
                "<xml><Encrypt><![CDATA[{encrypted}]]></Encrypt><MsgSignature><![CDATA[{signature}]]></MsgSignature>\
                 <TimeStamp>{}</TimeStamp><Nonce><![CDATA[{}]]></Nonce></xml>",
                timestamp.parse::<i64>().unwrap_or_default(),
                nonce.replace("]]>", ""),
            ),
            Form::Json => json!({
                "Encrypt": encrypted, "MsgSignature": signature, "Nonce": nonce,
                "TimeStamp": timestamp.parse::<i64>().unwrap_or_default(),
            })
            .to_string(),
        }
    }
}

/// The text of one element directly under the root.
fn element(xml: &str, wanted: &str) -> Option<String> {
    let mut reader = Reader::from_str(xml);
    let mut path: Vec<Vec<u8>> = Vec::new();
    let mut found = String::new();
    loop {
        let text = match reader.read_event().ok()? {
            Event::Start(start) => {
                path.push(start.name().as_ref().to_vec());
                continue;
            }
            Event::End(_) => {
                path.pop();
                continue;
            }
            Event::CData(data) => data.decode().ok()?.into_owned(),
            Event::Text(text) => text.decode().ok()?.into_owned(),
            Event::Eof => break,
            _ => continue,
        };
        if let [_, name] = path.as_slice()
            && name == wanted.as_bytes()
        {
            found.push_str(&text);
        }
    }
    path.is_empty().then_some(found)
}

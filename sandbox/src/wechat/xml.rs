//! The XML of pushes and of what answers them: an element is written, a reply is read.

use std::collections::HashMap;

use quick_xml::{Reader, events::Event as XmlEvent};

/// An element with any text; the end of a CDATA section inside the text is split in two.
pub(crate) fn element(name: &str, text: &str) -> String {
    format!("<{name}><![CDATA[{}]]></{name}>", text.replace("]]>", "]]]]><![CDATA[>"))
}

/// The text of a passive reply that is addressed to the person by the account; anything else is malformed.
pub(super) fn text_reply(xml: &str, person: &str, own_name: &str) -> Option<String> {
    let fields = fields(xml)?;
    let field = |name: &str| fields.get(name).map(|text| text.trim());
    let addressed = field("ToUserName") == Some(person) && field("FromUserName") == Some(own_name);
    let dated = field("CreateTime").is_some_and(|at| at.parse::<i64>().is_ok());
    let text = fields.get("Content").filter(|text| !text.trim().is_empty() && text.len() <= 2048);
    if addressed && dated && field("MsgType") == Some("text") { text.cloned() } else { None }
}

/// The elements directly under the root.
pub(super) fn fields(xml: &str) -> Option<HashMap<String, String>> {
    let mut reader = Reader::from_str(xml);
    let mut path: Vec<String> = Vec::new();
    let mut fields = HashMap::<String, String>::new();
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
    path.is_empty().then_some(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

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

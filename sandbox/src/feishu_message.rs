//! Kinds of messages that Feishu's robot takes. A card may only open addresses: the robot hears nothing.

use serde::Deserialize;
use serde_json::Value;

use crate::{
    answer::{Refused, refused},
    journal::{Content, Line},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Message {
    pub(crate) timestamp: Option<String>,
    pub(crate) sign: Option<String>,
    msg_type: String,
    content: Option<Value>,
    /// In place of the content.
    card: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Post {
    post: Languages,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Languages {
    zh_cn: Option<Rich>,
    en_us: Option<Rich>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rich {
    #[serde(default)]
    title: String,
    content: Vec<Vec<Span>>,
}

#[derive(Deserialize)]
#[serde(tag = "tag", rename_all = "snake_case", deny_unknown_fields)]
enum Span {
    Text { text: String },
    A { text: String, href: String },
    At { user_id: String },
    Img { image_key: String },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Image {
    image_key: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SharedChat {
    share_chat_id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Card {
    #[serde(default, rename = "config")]
    _config: Option<Value>,
    header: Option<Header>,
    elements: Vec<Element>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    title: Words,
    #[serde(default, rename = "template")]
    _template: Option<String>,
}

#[derive(Deserialize)]
#[serde(tag = "tag", rename_all = "snake_case", deny_unknown_fields)]
enum Words {
    PlainText { content: String },
    LarkMd { content: String },
}

#[derive(Deserialize)]
#[serde(tag = "tag", rename_all = "snake_case", deny_unknown_fields)]
enum Element {
    Div {
        text: Option<Words>,
        #[serde(default)]
        fields: Vec<Field>,
    },
    Markdown {
        content: String,
    },
    Hr {},
    Action {
        actions: Vec<Button>,
    },
    Note {
        elements: Vec<Words>,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Field {
    #[serde(rename = "is_short")]
    _is_short: bool,
    text: Words,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Button {
    tag: String,
    text: Words,
    url: String,
    #[serde(default, rename = "type")]
    _kind: Option<String>,
}

fn bad<T>() -> Result<T, Refused> {
    refused(9499, "Bad Request")
}

fn is_web(address: &str) -> bool {
    address.starts_with("https://") || address.starts_with("http://")
}

impl Words {
    fn text(&self) -> String {
        match self {
            Self::PlainText { content } | Self::LarkMd { content } => content.clone(),
        }
    }
}

/// What stands in the group. A rich post is kept as markdown.
pub(crate) fn content(message: Message) -> Result<Content, Refused> {
    fn read<T: serde::de::DeserializeOwned>(value: Option<Value>) -> Result<T, Refused> {
        serde_json::from_value(value.unwrap_or_default()).or_else(|_| bad())
    }
    if message.card.is_some() == message.content.is_some() {
        return bad();
    }
    match message.msg_type.as_str() {
        "text" => {
            let Text { text } = read(message.content)?;
            if text.trim().is_empty() {
                return bad();
            }
            let everybody = text.contains("<at user_id=\"all\">");
            let mentioned = if everybody { vec!["@all".to_owned()] } else { Vec::new() };
            Ok(Content::Text { text, mentioned })
        }
        "post" => {
            let Post { post } = read(message.content)?;
            post.zh_cn.or(post.en_us).map_or_else(bad, |rich| rich_text(&rich))
        }
        "image" => {
            let Image { image_key } = read(message.content)?;
            // Robots cannot upload: the key is of a picture that an application uploaded.
            if image_key.starts_with("img_") {
                Ok(Content::Attachment { what: "图片", name: image_key })
            } else {
                bad()
            }
        }
        "share_chat" => {
            let SharedChat { share_chat_id } = read(message.content)?;
            if share_chat_id.starts_with("oc_") {
                Ok(Content::Attachment { what: "群名片", name: share_chat_id })
            } else {
                bad()
            }
        }
        "interactive" => card(&read(message.card)?),
        _ => bad(),
    }
}

fn rich_text(rich: &Rich) -> Result<Content, Refused> {
    let span = |span: &Span| match span {
        Span::Text { text } => Ok(text.clone()),
        Span::A { text, href } if is_web(href) => Ok(format!("[{text}]({href})")),
        Span::A { .. } => bad(),
        Span::At { user_id } => Ok(format!("<@{user_id}>")),
        Span::Img { image_key } => Ok(format!("[图片 {image_key}]")),
    };
    let mut lines = vec![format!("**{}**", rich.title)];
    for line in &rich.content {
        lines.push(line.iter().map(span).collect::<Result<String, _>>()?);
    }
    if rich.content.iter().all(Vec::is_empty) { bad() } else { Ok(Content::Markdown { text: lines.join("\n") }) }
}

fn card(card: &Card) -> Result<Content, Refused> {
    let mut words = Vec::new();
    let mut lines = Vec::new();
    let mut links = Vec::new();
    for element in &card.elements {
        match element {
            Element::Div { text, fields } => {
                if text.is_none() && fields.is_empty() {
                    return bad();
                }
                words.extend(text.as_ref().map(Words::text));
                lines.extend(fields.iter().map(|field| Line {
                    key: String::new(),
                    label: String::new(),
                    value: field.text.text(),
                }));
            }
            Element::Markdown { content } => words.push(content.clone()),
            Element::Hr {} => words.push("---".into()),
            Element::Note { elements } => words.extend(elements.iter().map(Words::text)),
            Element::Action { actions } => {
                for button in actions {
                    if button.tag != "button" || !is_web(&button.url) {
                        return bad();
                    }
                    links.push((button.text.text(), button.url.clone()));
                }
            }
        }
    }
    let title = card.header.as_ref().map(|header| header.title.text()).unwrap_or_default();
    if title.is_empty() && words.is_empty() && lines.is_empty() {
        return bad();
    }
    let opens = links.first().map(|(_, address)| address.clone()).unwrap_or_default();
    words.extend(links.iter().map(|(text, address)| format!("[{text}]({address})")));
    Ok(Content::Card { title, words: words.join("\n"), lines, opens, buttons: Vec::new(), task: None })
}

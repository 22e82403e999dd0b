//! Messages of a group robot. The robot refuses what is too long; it does not cut.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, TimeDelta, Utc};
use md5::{Digest, Md5};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{card_parts::Card, robot_upload::uploaded, template_card};
use crate::{
    Sandbox,
    answer::{Manner, Parameters, Refused, answer, refused},
    groups::GroupKind,
    journal::{Article, Content, Picture, Platform, Recipient},
    state::State,
};

const MARKDOWN_BYTES: usize = 4096;
const IMAGE_BYTES: usize = 2 * 1024 * 1024;
const ARTICLES: usize = 8;
const ARTICLE_TITLE_BYTES: usize = 128;
const ARTICLE_DESCRIPTION_BYTES: usize = 512;
/// Messages in any minute.
const MESSAGES: usize = 20;
const MINUTE: TimeDelta = TimeDelta::minutes(1);

#[derive(Deserialize)]
#[serde(tag = "msgtype", rename_all = "snake_case", deny_unknown_fields)]
enum Message {
    Text { text: Text },
    Markdown { markdown: Markdown },
    MarkdownV2 { markdown_v2: Markdown },
    Image { image: Image },
    News { news: News },
    File { file: File },
    Voice { voice: File },
    TemplateCard { template_card: Box<Card> },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    #[serde(default)]
    content: String,
    #[serde(default)]
    mentioned_list: Vec<String>,
    #[serde(default)]
    mentioned_mobile_list: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Markdown {
    #[serde(default)]
    content: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Image {
    base64: String,
    md5: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct News {
    articles: Vec<Article>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    media_id: String,
}

pub(super) async fn send(request: HttpRequest, body: web::Bytes, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let key = Parameters::of(&request).get("key").to_owned();
    let now = sandbox.now();
    answer(&Manner::WeCom, deliver(&mut sandbox.state(), &key, &body, now))
}

fn deliver(state: &mut State, key: &str, body: &[u8], now: DateTime<Utc>) -> Result<Value, Refused> {
    if state.groups.get(key).is_none_or(|group| group.kind != GroupKind::Wecom) {
        return refused(93000, "invalid webhook url");
    }
    let content = content(state, key, parse(body)?, now)?;
    if !state.robots.entry(key.to_owned()).or_default().spend(now, MESSAGES, MINUTE) {
        return refused(45009, "api freq out of limit");
    }
    state.journal.deliver(now, Platform::WeCom, Recipient::Group(key.to_owned()), content);
    Ok(json!({"errcode": 0, "errmsg": "ok"}))
}

fn parse(body: &[u8]) -> Result<Message, Refused> {
    let Ok(value) = serde_json::from_slice::<Value>(body) else {
        return refused(40035, "invalid json format");
    };
    let kind = value.get("msgtype").and_then(Value::as_str).unwrap_or_default();
    if !["text", "markdown", "markdown_v2", "image", "news", "file", "voice", "template_card"].contains(&kind) {
        return refused(40008, "invalid message type");
    }
    if value.get(kind).is_none() {
        return refused(44004, format!("{kind} is missing"));
    }
    serde_json::from_value(value).or_else(|error| refused(40058, format!("{error}. invalid Request Parameter")))
}

fn content(state: &State, key: &str, message: Message, now: DateTime<Utc>) -> Result<Content, Refused> {
    match message {
        Message::Text { text } => {
            check_length("text.content", &text.content, state.limits.robot_text_bytes)?;
            let mentioned = [text.mentioned_list, text.mentioned_mobile_list].concat();
            Ok(Content::Text { text: text.content, mentioned })
        }
        Message::Markdown { markdown } => {
            check_length("markdown.content", &markdown.content, MARKDOWN_BYTES)?;
            Ok(Content::Markdown { text: markdown.content })
        }
        Message::MarkdownV2 { markdown_v2 } => {
            check_length("markdown_v2.content", &markdown_v2.content, MARKDOWN_BYTES)?;
            Ok(Content::Markdown { text: markdown_v2.content })
        }
        Message::TemplateCard { template_card } => template_card::content(&template_card, false),
        Message::Image { image } => Ok(Content::Image { picture: picture(&image)? }),
        Message::News { news } => {
            check_articles(&news.articles)?;
            Ok(Content::News { articles: news.articles })
        }
        Message::File { file } => uploaded(state, &file.media_id, key, "file", now),
        Message::Voice { voice } => uploaded(state, &voice.media_id, key, "voice", now),
    }
}

fn check_length(field: &str, text: &str, limit: usize) -> Result<(), Refused> {
    if text.is_empty() {
        return refused(44004, format!("{field} is empty"));
    }
    if text.len() > limit {
        return refused(40058, format!("{field} exceed max length {limit}. invalid Request Parameter"));
    }
    Ok(())
}

fn picture(image: &Image) -> Result<Picture, Refused> {
    let Ok(bytes) = STANDARD.decode(&image.base64) else {
        return refused(40009, "invalid image: base64");
    };
    if bytes.len() > IMAGE_BYTES {
        return refused(40009, "invalid image size");
    }
    let media_type = match bytes.as_slice() {
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => "image/png",
        [0xff, 0xd8, 0xff, ..] => "image/jpeg",
        _ => return refused(40009, "invalid image type"),
    };
    if !hex::encode(Md5::digest(&bytes)).eq_ignore_ascii_case(&image.md5) {
        return refused(301019, "media md5 not match");
    }
    Ok(Picture { bytes: Arc::from(bytes), media_type })
}

pub(super) fn check_articles(articles: &[Article]) -> Result<(), Refused> {
    if articles.is_empty() || articles.len() > ARTICLES {
        return refused(45008, "article count out of limit");
    }
    for (position, article) in articles.iter().enumerate() {
        let field = |name: &str| format!("news.articles[{position}].{name}");
        check_length(&field("title"), &article.title, ARTICLE_TITLE_BYTES)?;
        if article.description.len() > ARTICLE_DESCRIPTION_BYTES {
            check_length(&field("description"), &article.description, ARTICLE_DESCRIPTION_BYTES)?;
        }
        for (name, address) in [("url", &article.url), ("picurl", &article.picurl)] {
            let web = address.starts_with("https://") || address.starts_with("http://");
            let optional = name == "picurl" && address.is_empty();
            if !(web || optional) {
                return refused(40058, format!("{} invalid. invalid Request Parameter", field(name)));
            }
        }
    }
    Ok(())
}

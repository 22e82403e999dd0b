//! What an application's message says, checked by its kind.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;

use super::{card_parts::Card, robot_message::check_articles, robot_upload::uploaded, template_card};
use crate::{
    answer::{Refused, refused},
    journal::{Article, Content, Line},
    state::State,
};

const TEXT_BYTES: usize = 2048;
const KINDS: [&str; 10] =
    ["text", "image", "voice", "video", "file", "textcard", "news", "markdown", "miniprogram_notice", "template_card"];
/// Lines of a mini-program's notice.
const NOTICE_LINES: usize = 10;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Message {
    #[serde(default)]
    pub(super) touser: String,
    #[serde(default)]
    pub(super) toparty: String,
    #[serde(default)]
    pub(super) totag: String,
    pub(super) agentid: Option<i64>,
    msgtype: String,
    text: Option<Words>,
    markdown: Option<Words>,
    image: Option<MediaId>,
    voice: Option<MediaId>,
    video: Option<Video>,
    file: Option<MediaId>,
    textcard: Option<TextCard>,
    news: Option<News>,
    miniprogram_notice: Option<Notice>,
    template_card: Option<Card>,
    #[serde(default)]
    safe: u8,
    #[serde(default)]
    enable_id_trans: u8,
    #[serde(default)]
    pub(super) enable_duplicate_check: u8,
    #[serde(default)]
    pub(super) duplicate_check_interval: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MediaId {
    media_id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Video {
    media_id: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    description: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    #[serde(default)]
    content: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TextCard {
    title: String,
    description: String,
    url: String,
    #[serde(default)]
    btntxt: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct News {
    articles: Vec<Article>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Notice {
    appid: String,
    #[serde(default)]
    page: String,
    title: String,
    #[serde(default)]
    description: String,
    #[serde(default, rename = "emphasis_first_item")]
    _emphasis_first_item: bool,
    #[serde(default)]
    content_item: Vec<NoticeLine>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoticeLine {
    key: String,
    value: String,
}

fn wrong<T>(field: &str) -> Result<T, Refused> {
    refused(40058, format!("{field} invalid. invalid Request Parameter"))
}

impl Message {
    /// What a card asks: the questions' keys with the ids of what may be chosen.
    pub(super) fn questions(&self) -> Vec<(String, Vec<String>)> {
        self.template_card.as_ref().map(Card::questions).unwrap_or_default()
    }

    pub(super) fn parse(body: &[u8]) -> Result<Self, Refused> {
        let Ok(value) = serde_json::from_slice::<Value>(body) else {
            return refused(40035, "invalid json format");
        };
        if !KINDS.contains(&value["msgtype"].as_str().unwrap_or_default()) {
            return refused(40008, "invalid message type");
        }
        let message: Self = serde_json::from_value(value)
            .or_else(|error| refused(40058, format!("{error}. invalid Request Parameter")))?;
        if message.safe > 1 || message.enable_id_trans > 1 || message.enable_duplicate_check > 1 {
            return wrong("safe");
        }
        Ok(message)
    }
}

pub(super) fn content(state: &State, message: &Message, now: DateTime<Utc>) -> Result<Content, Refused> {
    let filled = |words: &Option<Words>| words.as_ref().map(|words| words.content.clone()).unwrap_or_default();
    let kind = message.msgtype.as_str();
    let media = match kind {
        "image" => message.image.as_ref(),
        "voice" => message.voice.as_ref(),
        "file" => message.file.as_ref(),
        _ => None,
    };
    if let Some(MediaId { media_id }) = media {
        return uploaded(state, media_id, "", kind, now);
    }
    match (kind, message) {
        ("text", _) => {
            let mut text = filled(&message.text);
            if text.is_empty() {
                return refused(44004, "text content is empty");
            }
            // Without a word.
            text.truncate((0..=TEXT_BYTES.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0));
            Ok(Content::AppMessage { text })
        }
        ("markdown", _) => {
            let text = filled(&message.markdown);
            if text.is_empty() {
                return refused(44004, "markdown content is empty");
            }
            if text.len() > TEXT_BYTES {
                return refused(45002, "content size out of limit");
            }
            Ok(Content::Markdown { text })
        }
        ("video", Message { video: Some(video), .. }) => {
            if video.title.len() > 128 || video.description.len() > 512 {
                return wrong("video.title");
            }
            uploaded(state, &video.media_id, "", "video", now)
        }
        ("textcard", Message { textcard: Some(card), .. }) => text_card(card),
        ("news", Message { news: Some(news), .. }) => {
            check_articles(&news.articles)?;
            Ok(Content::News { articles: news.articles.clone() })
        }
        ("miniprogram_notice", Message { miniprogram_notice: Some(notice), .. }) => notice_card(state, message, notice),
        ("template_card", Message { template_card: Some(card), .. }) => template_card::content(card, true),
        _ => refused(44004, format!("{kind} is missing")),
    }
}

fn text_card(card: &TextCard) -> Result<Content, Refused> {
    let within = |text: &str, most: usize| (1..=most).contains(&text.chars().count());
    if !within(&card.title, 128) {
        return wrong("textcard.title");
    }
    if !within(&card.description, 512) {
        return wrong("textcard.description");
    }
    if !card.url.starts_with("http") || card.url.len() > 2048 {
        return wrong("textcard.url");
    }
    if card.btntxt.chars().count() > 4 {
        return wrong("textcard.btntxt");
    }
    Ok(Content::Card {
        title: card.title.clone(),
        words: card.description.clone(),
        lines: Vec::new(),
        opens: card.url.clone(),
        buttons: Vec::new(),
        task: None,
    })
}

/// Only to people by name, and only of the mini-program that the account has.
fn notice_card(state: &State, message: &Message, notice: &Notice) -> Result<Content, Refused> {
    let fits = |text: &str| (4..=12).contains(&text.chars().count());
    if message.touser == "@all" || notice.appid != state.account.app_id {
        return wrong("miniprogram_notice.appid");
    }
    if !fits(&notice.title) || !(notice.description.is_empty() || fits(&notice.description)) {
        return wrong("miniprogram_notice.title");
    }
    if notice.content_item.len() > NOTICE_LINES
        || notice.content_item.iter().any(|line| line.key.is_empty() || line.value.is_empty())
    {
        return wrong("miniprogram_notice.content_item");
    }
    let line = |line: &NoticeLine| Line { key: line.key.clone(), label: line.key.clone(), value: line.value.clone() };
    Ok(Content::Card {
        title: notice.title.clone(),
        words: notice.description.clone(),
        lines: notice.content_item.iter().map(line).collect(),
        opens: format!("{}:{}", notice.appid, notice.page),
        buttons: Vec::new(),
        task: None,
    })
}

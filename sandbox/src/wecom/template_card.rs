//! Template cards, checked as the platform does. The character counts that it advises are no reason to refuse.

use serde::Deserialize;

use crate::{
    answer::{Refused, refused},
    journal::{Button, Content, Line},
};

const LINES: usize = 6;
const JUMPS: usize = 3;
const BUTTONS: usize = 6;
const TASK_BYTES: usize = 128;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Card {
    card_type: String,
    source: Option<Source>,
    main_title: Option<Title>,
    emphasis_content: Option<Title>,
    #[serde(default)]
    sub_title_text: String,
    #[serde(default)]
    horizontal_content_list: Vec<Horizontal>,
    #[serde(default)]
    jump_list: Vec<Jump>,
    card_action: Option<Jump>,
    card_image: Option<CardImage>,
    #[serde(default)]
    task_id: String,
    #[serde(default)]
    button_list: Vec<CardButton>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    #[serde(default)]
    icon_url: String,
    #[serde(default)]
    desc: String,
    #[serde(default)]
    desc_color: u8,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Title {
    #[serde(default)]
    title: String,
    #[serde(default)]
    desc: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Horizontal {
    keyname: String,
    #[serde(default)]
    value: String,
    #[serde(default, rename = "type")]
    kind: u8,
    #[serde(default)]
    url: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Jump {
    #[serde(default, rename = "type")]
    kind: u8,
    #[serde(default)]
    title: String,
    #[serde(default)]
    url: String,
    #[serde(default)]
    appid: String,
    #[serde(default)]
    pagepath: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CardImage {
    url: String,
    #[serde(default)]
    aspect_ratio: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CardButton {
    text: String,
    #[serde(default)]
    style: u8,
    key: String,
}

impl Jump {
    fn opens(&self) -> Option<String> {
        match self.kind {
            1 if self.url.starts_with("https://") || self.url.starts_with("http://") => Some(self.url.clone()),
            2 if !self.appid.is_empty() => Some(format!("{}:{}", self.appid, self.pagepath)),
            _ => None,
        }
    }
}

/// `in_app`: buttons are for app messages only.
pub(super) fn content(card: &Card, in_app: bool) -> Result<Content, Refused> {
    let wrong = |field: &str| refused(40058, format!("template_card.{field} invalid. invalid Request Parameter"));
    let title = card.main_title.as_ref().map(|title| title.title.as_str()).unwrap_or_default();
    let with_buttons = card.card_type == "button_interaction" && in_app;
    match card.card_type.as_str() {
        "text_notice" => {}
        "news_notice" => {
            let Some(image) = &card.card_image else { return wrong("card_image") };
            let ratio = image.aspect_ratio.unwrap_or(1.3);
            if title.is_empty() || !image.url.starts_with("http") || !(1.3..=2.25).contains(&ratio) {
                return wrong("card_image");
            }
        }
        _ if with_buttons => {
            let plain = |letter: u8| letter.is_ascii_alphanumeric() || b"_-@".contains(&letter);
            if card.task_id.is_empty() || card.task_id.len() > TASK_BYTES || !card.task_id.bytes().all(plain) {
                return wrong("task_id");
            }
            if card.button_list.is_empty() || card.button_list.len() > BUTTONS {
                return wrong("button_list");
            }
            if card.button_list.iter().any(|button| button.text.is_empty() || button.key.is_empty() || button.style > 4)
            {
                return wrong("button_list");
            }
        }
        _ => return wrong("card_type"),
    }
    if title.is_empty() && card.sub_title_text.is_empty() {
        return wrong("main_title");
    }
    if card.horizontal_content_list.len() > LINES || card.horizontal_content_list.iter().any(|line| !line.fits()) {
        return wrong("horizontal_content_list");
    }
    if card.jump_list.len() > JUMPS || card.jump_list.iter().any(|jump| jump.title.is_empty()) {
        return wrong("jump_list");
    }
    if card.source.as_ref().is_some_and(|source| source.desc_color > 3 || source.icon_url.starts_with("javascript")) {
        return wrong("source");
    }
    let opens = card.card_action.as_ref().and_then(Jump::opens);
    if opens.is_none() && !with_buttons {
        return wrong("card_action");
    }
    let words = [card.main_title.as_ref(), card.emphasis_content.as_ref()]
        .into_iter()
        .flatten()
        .map(|title| title.desc.as_str())
        .chain([card.sub_title_text.as_str(), card.source.as_ref().map_or("", |source| source.desc.as_str())])
        .filter(|words| !words.is_empty())
        .collect::<Vec<_>>()
        .join("\n");
    Ok(Content::Card {
        title: title.to_owned(),
        words,
        lines: card
            .horizontal_content_list
            .iter()
            .map(|line| Line { key: line.keyname.clone(), label: line.keyname.clone(), value: line.value.clone() })
            .collect(),
        opens: opens.unwrap_or_default(),
        buttons: card
            .button_list
            .iter()
            .map(|button| Button { text: button.text.clone(), key: button.key.clone() })
            .collect(),
        task: Some(card.task_id.clone()).filter(|task| !task.is_empty()),
    })
}

impl Horizontal {
    fn fits(&self) -> bool {
        !self.keyname.is_empty() && (self.kind != 1 || self.url.starts_with("http"))
    }
}

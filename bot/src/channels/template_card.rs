//! WeCom's template card, in app messages and group robots alike.

use serde_json::{Value, json};

use super::subscribe_message::Card;
use crate::messages::shorten;

/// The platform's advice for what a card shows without breaking, in characters.
pub(super) const TITLE: usize = 26;
pub(super) const DESCRIPTION: usize = 30;
pub(super) const WORDS: usize = 112;
const LINE_NAME: usize = 5;
pub(super) const LINE_VALUE: usize = 26;
const SOURCE: usize = 13;
pub(super) const BUTTON: usize = 10;
/// The platform's limits.
const LINES: usize = 6;
const LONGEST_TASK: usize = 128;

/// What a tap on a card opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CardTarget {
    Address(String),
    MiniProgram { app_id: String, page: String },
}

impl CardTarget {
    fn value(&self) -> Value {
        match self {
            Self::Address(url) => json!({"type": 1, "url": url}),
            Self::MiniProgram { app_id, page } => json!({"type": 2, "appid": app_id, "pagepath": page}),
        }
    }
}

/// A button that tells the application which one was tapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardButton {
    pub text: String,
    pub key: String,
}

/// A card with a title, words and short lines. Texts are shortened to what a card shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateCard {
    /// Who sends it.
    pub source: String,
    pub title: String,
    pub description: String,
    pub words: String,
    /// Name and value; more than six are left out.
    pub lines: Vec<(String, String)>,
    pub target: CardTarget,
    /// App messages only: by which the card and its taps are known. Two cards with the same words are two by it; without one, the
    /// platform would take the second for the first repeated, and drop it.
    pub task: Option<String>,
    /// App messages only.
    pub buttons: Vec<CardButton>,
}

impl TemplateCard {
    /// A card to a person as WeCom shows it.
    pub(crate) fn of(card: &Card, public_url: &str) -> Self {
        let due_on = card.due_on.map(|due_on| ("期限".to_owned(), due_on.format("%Y年%-m月%-d日").to_string()));
        Self {
            source: "清风".into(),
            title: card.matter.clone(),
            description: card.reason.clone(),
            words: card.hint.clone(),
            lines: due_on.into_iter().collect(),
            target: CardTarget::Address(format!("{public_url}/app/#/{}", card.page)),
            task: None,
            buttons: Vec::new(),
        }
    }

    pub(super) fn value(&self) -> Value {
        let lines: Vec<_> = self
            .lines
            .iter()
            .take(LINES)
            .map(|(name, value)| json!({"keyname": shorten(name, LINE_NAME), "value": shorten(value, LINE_VALUE)}))
            .collect();
        let mut card = json!({
            "card_type": "text_notice",
            "source": {"desc": shorten(&self.source, SOURCE)},
            "main_title": {"title": shorten(&self.title, TITLE), "desc": shorten(&self.description, DESCRIPTION)},
            "sub_title_text": shorten(&self.words, WORDS),
            "horizontal_content_list": lines,
            "card_action": self.target.value(),
        });
        if let Some(task) = &self.task {
            card["task_id"] = task_id(task).into();
        }
        if !self.buttons.is_empty() {
            let button =
                |button: &CardButton| json!({"text": shorten(&button.text, BUTTON), "style": 1, "key": button.key});
            card["card_type"] = "button_interaction".into();
            card["button_list"] = self.buttons.iter().map(button).collect();
        }
        card
    }
}

/// Letters, digits, `_`, `-` and `@`, at most 128 bytes.
fn task_id(task: &str) -> String {
    task.chars().filter(|letter| letter.is_ascii_alphanumeric() || "_-@".contains(*letter)).take(LONGEST_TASK).collect()
}

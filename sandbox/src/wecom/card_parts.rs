//! The parts of a template card.

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Card {
    pub(super) card_type: String,
    pub(super) source: Option<Source>,
    pub(super) action_menu: Option<Menu>,
    pub(super) main_title: Option<Title>,
    pub(super) emphasis_content: Option<Title>,
    pub(super) quote_area: Option<QuoteArea>,
    #[serde(default)]
    pub(super) sub_title_text: String,
    #[serde(default)]
    pub(super) horizontal_content_list: Vec<Horizontal>,
    #[serde(default)]
    pub(super) vertical_content_list: Vec<Title>,
    #[serde(default)]
    pub(super) jump_list: Vec<Action>,
    pub(super) card_action: Option<Action>,
    pub(super) card_image: Option<CardImage>,
    pub(super) image_text_area: Option<ImageTextArea>,
    #[serde(default)]
    pub(super) task_id: String,
    #[serde(default)]
    pub(super) button_list: Vec<CardButton>,
    pub(super) checkbox: Option<Checkbox>,
    #[serde(default)]
    pub(super) select_list: Vec<Selection>,
    pub(super) submit_button: Option<SubmitButton>,
}

impl Card {
    pub(super) fn questions(&self) -> Vec<(String, Vec<String>)> {
        let ids = |options: &[Choice]| options.iter().map(|option| option.id.clone()).collect();
        let vote = self.checkbox.iter().map(|vote| (vote.question_key.clone(), ids(&vote.option_list)));
        let selections = self.select_list.iter().map(|one| (one.question_key.clone(), ids(&one.option_list)));
        vote.chain(selections).collect()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Source {
    #[serde(default)]
    pub(super) icon_url: String,
    #[serde(default)]
    pub(super) desc: String,
    #[serde(default)]
    pub(super) desc_color: u8,
}

/// The menu in the upper corner.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Menu {
    #[serde(default, rename = "desc")]
    _desc: String,
    pub(super) action_list: Vec<MenuAction>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MenuAction {
    #[serde(rename = "text")]
    _text: String,
    #[serde(rename = "key")]
    _key: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Title {
    #[serde(default)]
    pub(super) title: String,
    #[serde(default)]
    pub(super) desc: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct QuoteArea {
    #[serde(default, rename = "type")]
    _kind: u8,
    #[serde(default, rename = "url")]
    _url: String,
    #[serde(default, rename = "appid")]
    _appid: String,
    #[serde(default, rename = "pagepath")]
    _pagepath: String,
    #[serde(default)]
    pub(super) title: String,
    #[serde(default)]
    pub(super) quote_text: String,
}

/// A line that may lead to an address, a file or a member.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Horizontal {
    pub(super) keyname: String,
    #[serde(default)]
    pub(super) value: String,
    #[serde(default, rename = "type")]
    kind: u8,
    #[serde(default)]
    url: String,
    #[serde(default)]
    media_id: String,
    #[serde(default)]
    userid: String,
}

impl Horizontal {
    pub(super) fn fits(&self) -> bool {
        let leads = match self.kind {
            0 => true,
            1 => self.url.starts_with("http"),
            2 => !self.media_id.is_empty(),
            3 => !self.userid.is_empty(),
            _ => false,
        };
        leads && !self.keyname.is_empty()
    }
}

/// What a tap opens: an address or a page of a mini-program.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Action {
    #[serde(default, rename = "type")]
    pub(super) kind: u8,
    #[serde(default)]
    pub(super) title: String,
    #[serde(default)]
    url: String,
    #[serde(default)]
    appid: String,
    #[serde(default)]
    pagepath: String,
}

impl Action {
    pub(super) fn opens(&self) -> Option<String> {
        match self.kind {
            1 if self.url.starts_with("https://") || self.url.starts_with("http://") => Some(self.url.clone()),
            2 if !self.appid.is_empty() => Some(format!("{}:{}", self.appid, self.pagepath)),
            _ => None,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CardImage {
    pub(super) url: String,
    #[serde(default)]
    pub(super) aspect_ratio: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ImageTextArea {
    #[serde(default, rename = "type")]
    _kind: u8,
    #[serde(default, rename = "url")]
    _url: String,
    #[serde(default, rename = "appid")]
    _appid: String,
    #[serde(default, rename = "pagepath")]
    _pagepath: String,
    #[serde(default)]
    pub(super) title: String,
    #[serde(default)]
    pub(super) desc: String,
    pub(super) image_url: String,
}

/// Kind 0 tells the application, 1 opens an address.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CardButton {
    #[serde(default, rename = "type")]
    pub(super) kind: u8,
    pub(super) text: String,
    #[serde(default)]
    pub(super) style: u8,
    #[serde(default)]
    pub(super) key: String,
    #[serde(default)]
    pub(super) url: String,
}

/// One of the options, or several (`mode` 1).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Checkbox {
    pub(super) question_key: String,
    pub(super) option_list: Vec<Choice>,
    #[serde(default)]
    pub(super) mode: u8,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Choice {
    pub(super) id: String,
    pub(super) text: String,
    #[serde(default, rename = "is_checked")]
    _is_checked: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Selection {
    pub(super) question_key: String,
    #[serde(default)]
    pub(super) title: String,
    #[serde(default, rename = "selected_id")]
    _selected_id: String,
    pub(super) option_list: Vec<Choice>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SubmitButton {
    pub(super) text: String,
    pub(super) key: String,
}

//! What a customer-service message says, checked by its kind.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::{
    answer::{Refused, refused},
    journal::{Article, Button, Content},
    state::State,
};

const TEXT_BYTES: usize = 2048;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Message {
    #[serde(default)]
    pub(super) touser: String,
    #[serde(default)]
    msgtype: String,
    text: Option<Text>,
    image: Option<MediaId>,
    link: Option<Link>,
    miniprogrampage: Option<MiniProgramPage>,
    news: Option<News>,
    msgmenu: Option<Menu>,
    #[serde(default, rename = "customservice")]
    _customservice: Option<Agent>,
    #[serde(default, rename = "aimsgcontext")]
    _aimsgcontext: Option<Machine>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    #[serde(default)]
    content: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MediaId {
    media_id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Link {
    title: String,
    description: String,
    url: String,
    #[serde(default)]
    thumb_url: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MiniProgramPage {
    title: String,
    appid: String,
    pagepath: String,
    thumb_media_id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct News {
    articles: Vec<Article>,
}

/// What a tap on a choice sends back is the choice's words and its id.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Menu {
    #[serde(default)]
    head_content: String,
    list: Vec<Choice>,
    #[serde(default)]
    tail_content: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Choice {
    id: String,
    content: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Agent {
    #[serde(rename = "kf_account")]
    _account: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Machine {
    #[serde(rename = "is_ai_msg")]
    _is_ai_msg: u8,
}

impl Message {
    pub(super) fn content(&self, state: &State, now: DateTime<Utc>) -> Result<Content, Refused> {
        let argument = |what: &str| refused(47003, format!("argument invalid! {what} invalid"));
        let web = |address: &str| address.starts_with("https://") || address.starts_with("http://");
        match (self.msgtype.as_str(), self) {
            ("text", _) => {
                let text = self.text.as_ref().map(|text| text.content.clone()).unwrap_or_default();
                match text.len() {
                    0 => refused(44004, "empty content"),
                    1..=TEXT_BYTES => Ok(Content::CustomerMessage { text }),
                    _ => refused(45002, "content size out of limit"),
                }
            }
            ("image", Self { image: Some(image), .. }) => state.uploads.picture(&image.media_id, now),
            ("link", Self { link: Some(link), .. }) => {
                if link.title.is_empty() || !web(&link.url) {
                    return argument("link.url");
                }
                Ok(Content::News {
                    articles: vec![Article {
                        title: link.title.clone(),
                        description: link.description.clone(),
                        url: link.url.clone(),
                        picurl: link.thumb_url.clone(),
                    }],
                })
            }
            ("miniprogrampage", Self { miniprogrampage: Some(page), .. }) => {
                state.uploads.picture(&page.thumb_media_id, now)?;
                if page.appid != state.account.app_id {
                    return refused(40013, "invalid appid");
                }
                if page.title.is_empty() || !state.account.has_page(&page.pagepath) {
                    return argument("miniprogrampage.pagepath");
                }
                Ok(card(&page.title, "小程序", format!("{}:{}", page.appid, page.pagepath), Vec::new()))
            }
            ("news", Self { news: Some(news), .. }) => match news.articles.as_slice() {
                [article] if !article.title.is_empty() && web(&article.url) => {
                    Ok(Content::News { articles: news.articles.clone() })
                }
                [_] => argument("news.articles[0]"),
                _ => refused(45008, "article size out of limit"),
            },
            ("msgmenu", Self { msgmenu: Some(menu), .. }) => {
                if menu.list.is_empty() || menu.list.iter().any(|one| one.id.is_empty() || one.content.is_empty()) {
                    return argument("msgmenu.list");
                }
                let button = |choice: &Choice| Button { text: choice.content.clone(), key: choice.id.clone() };
                let buttons = menu.list.iter().map(button).collect();
                Ok(card(&menu.head_content, &menu.tail_content, String::new(), buttons))
            }
            ("image" | "link" | "miniprogrampage" | "news" | "msgmenu", _) => refused(44004, "empty content"),
            _ => refused(40008, "invalid message type"),
        }
    }
}

fn card(title: &str, words: &str, opens: String, buttons: Vec<Button>) -> Content {
    Content::Card { title: title.to_owned(), words: words.to_owned(), lines: Vec::new(), opens, buttons, task: None }
}

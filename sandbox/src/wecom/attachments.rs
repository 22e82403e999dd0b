//! What hangs on a message into customer groups.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::robot_upload::uploaded;
use crate::{
    answer::{Refused, refused},
    journal::{Article, Content},
    state::State,
};

#[derive(Deserialize)]
#[serde(tag = "msgtype", rename_all = "lowercase", deny_unknown_fields)]
pub(super) enum Attachment {
    Image { image: Image },
    Link { link: Link },
    MiniProgram { miniprogram: MiniProgram },
    Video { video: MediaId },
    File { file: MediaId },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MediaId {
    media_id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Image {
    #[serde(default)]
    media_id: String,
    #[serde(default)]
    pic_url: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Link {
    title: String,
    #[serde(default)]
    picurl: String,
    #[serde(default)]
    desc: String,
    url: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MiniProgram {
    title: String,
    pic_media_id: String,
    appid: String,
    page: String,
}

const TITLE_BYTES: usize = 128;
const MINI_PROGRAM_TITLE_BYTES: usize = 64;
const DESCRIPTION_BYTES: usize = 512;

impl Attachment {
    pub(super) fn content(&self, state: &State, now: DateTime<Utc>) -> Result<Content, Refused> {
        let wrong = |field: &str| refused(40058, format!("attachments.{field} invalid. invalid Request Parameter"));
        let web = |address: &str| address.starts_with("https://") || address.starts_with("http://");
        match self {
            Self::Image { image } if image.media_id.is_empty() => {
                if !web(&image.pic_url) {
                    return wrong("image.pic_url");
                }
                Ok(Content::Attachment { what: "图片", name: image.pic_url.clone() })
            }
            Self::Image { image } => uploaded(state, &image.media_id, "", "image", now),
            Self::Link { link } => {
                if link.title.is_empty() || link.title.len() > TITLE_BYTES || link.desc.len() > DESCRIPTION_BYTES {
                    return wrong("link.title");
                }
                if !web(&link.url) {
                    return wrong("link.url");
                }
                Ok(Content::News {
                    articles: vec![Article {
                        title: link.title.clone(),
                        description: link.desc.clone(),
                        url: link.url.clone(),
                        picurl: link.picurl.clone(),
                    }],
                })
            }
            Self::MiniProgram { miniprogram } => {
                if miniprogram.title.is_empty() || miniprogram.title.len() > MINI_PROGRAM_TITLE_BYTES {
                    return wrong("miniprogram.title");
                }
                if miniprogram.appid != state.account.app_id || miniprogram.page.is_empty() {
                    return wrong("miniprogram.appid");
                }
                uploaded(state, &miniprogram.pic_media_id, "", "image", now)?;
                Ok(Content::Card {
                    title: miniprogram.title.clone(),
                    words: "小程序".into(),
                    lines: Vec::new(),
                    opens: format!("{}:{}", miniprogram.appid, miniprogram.page),
                    buttons: Vec::new(),
                    task: None,
                })
            }
            Self::Video { video } => uploaded(state, &video.media_id, "", "video", now),
            Self::File { file } => uploaded(state, &file.media_id, "", "file", now),
        }
    }
}

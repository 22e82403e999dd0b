//! Group chats that the application made itself, of members of the corporation only.

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::json;

use super::{customer_groups::call, robot_message::check_articles, robot_upload::uploaded};
use crate::{
    Sandbox,
    answer::{Refused, refused},
    groups::{Group, GroupKind},
    journal::{Article, Content, Platform, Recipient},
    state::State,
};

const NAME_CHARACTERS: usize = 50;
const MEMBERS: std::ops::RangeInclusive<usize> = 2..=2000;
const CHAT_ID: usize = 32;
const TEXT_BYTES: usize = 2048;
/// What a member hears from such chats; more is dropped without a word.
const TO_A_MEMBER_A_MINUTE: usize = 200;
const TO_A_MEMBER_A_DAY: u64 = 10_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewChat {
    #[serde(default)]
    name: String,
    #[serde(default)]
    owner: String,
    userlist: Vec<String>,
    #[serde(default)]
    chatid: String,
}

pub(super) async fn create(request: HttpRequest, body: web::Bytes, sandbox: web::Data<Sandbox>) -> HttpResponse {
    call(&request, &body, &sandbox, &[], |state, chat: NewChat, now| {
        let wrong = |field: &str| refused(40058, format!("{field} invalid. invalid Request Parameter"));
        let members: Vec<String> = chat.userlist.iter().map(|user| user.to_lowercase()).collect();
        let owner = chat.owner.to_lowercase();
        if chat.name.chars().count() > NAME_CHARACTERS {
            return wrong("name");
        }
        if !MEMBERS.contains(&members.len()) || !(owner.is_empty() || members.contains(&owner)) {
            return wrong("userlist");
        }
        if let Some(stranger) = members.iter().find(|user| !state.is_member(user)) {
            return refused(60111, format!("userid not found: {stranger}"));
        }
        if chat.chatid.len() > CHAT_ID || !chat.chatid.bytes().all(|letter| letter.is_ascii_alphanumeric()) {
            return wrong("chatid");
        }
        let id = if chat.chatid.is_empty() { hex::encode(rand::random::<[u8; 16]>()) } else { chat.chatid.clone() };
        if state.groups.contains_key(&id) {
            return refused(86001, "invalid chatid: it exists");
        }
        if !state.usage.spend_today("group chats", now, state.limits.group_chats_a_day, 1) {
            return refused(45009, "api freq out of limit");
        }
        let name = if chat.name.is_empty() { "群聊" } else { &chat.name };
        let mut group = Group::new(id.clone(), name).of_kind(GroupKind::Application);
        group.owner = Some(if owner.is_empty() { members[0].clone() } else { owner });
        group.members = members;
        state.groups.insert(id.clone(), group);
        Ok(json!({"errcode": 0, "errmsg": "ok", "chatid": id}))
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    chatid: String,
    msgtype: String,
    text: Option<Text>,
    markdown: Option<Words>,
    image: Option<MediaId>,
    voice: Option<MediaId>,
    file: Option<MediaId>,
    video: Option<MediaId>,
    textcard: Option<TextCard>,
    news: Option<News>,
    #[serde(default)]
    safe: u8,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    content: String,
    #[serde(default)]
    mentioned_list: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    content: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MediaId {
    media_id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TextCard {
    title: String,
    description: String,
    url: String,
    #[serde(default, rename = "btntxt")]
    _btntxt: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct News {
    articles: Vec<Article>,
}

pub(super) async fn send(request: HttpRequest, body: web::Bytes, sandbox: web::Data<Sandbox>) -> HttpResponse {
    call(&request, &body, &sandbox, &[], |state, message: Message, now| {
        if message.safe > 1 {
            return refused(40058, "safe invalid. invalid Request Parameter");
        }
        let group = state.groups.get(&message.chatid).filter(|group| group.kind == GroupKind::Application);
        let Some(members) = group.map(|group| group.members.clone()) else {
            return refused(86001, "invalid chatid");
        };
        let content = content(state, &message, now)?;
        let people = u64::try_from(members.len()).unwrap_or(u64::MAX);
        let most = state.limits.group_chat_people_a_minute;
        if !state.usage.spend_this_minute("people in group chats", now, most, people) {
            return refused(45009, "api freq out of limit");
        }
        // Who heard too much today hears nothing; the group shows it as long as somebody hears it.
        let heard = members.iter().filter(|member| hears(state, member, now)).count();
        if heard > 0 {
            state.journal.deliver(now, Platform::WeCom, Recipient::Group(message.chatid.clone()), content);
        }
        Ok(json!({"errcode": 0, "errmsg": "ok"}))
    })
}

fn hears(state: &mut State, member: &str, now: DateTime<Utc>) -> bool {
    let key = format!("group chats to {member}");
    state.usage.spend(key.as_str(), now, TO_A_MEMBER_A_MINUTE, TimeDelta::minutes(1))
        && state.usage.spend_today(&key, now, TO_A_MEMBER_A_DAY, 1)
}

fn content(state: &State, message: &Message, now: DateTime<Utc>) -> Result<Content, Refused> {
    let missing = || refused(44004, format!("{} is missing", message.msgtype));
    let media = |media: &Option<MediaId>, kind: &str| match media {
        Some(MediaId { media_id }) => uploaded(state, media_id, "", kind, now),
        None => missing(),
    };
    match message.msgtype.as_str() {
        "text" => match &message.text {
            Some(text) if text.content.is_empty() => refused(44004, "text content is empty"),
            Some(text) if text.content.len() > TEXT_BYTES => refused(45002, "content size out of limit"),
            Some(text) => Ok(Content::Text { text: text.content.clone(), mentioned: text.mentioned_list.clone() }),
            None => missing(),
        },
        "markdown" => match &message.markdown {
            Some(words) if words.content.is_empty() => refused(44004, "markdown content is empty"),
            Some(words) if words.content.len() > TEXT_BYTES => refused(45002, "content size out of limit"),
            Some(words) => Ok(Content::Markdown { text: words.content.clone() }),
            None => missing(),
        },
        "image" => media(&message.image, "image"),
        "voice" => media(&message.voice, "voice"),
        "file" => media(&message.file, "file"),
        "video" => media(&message.video, "video"),
        "textcard" => match &message.textcard {
            Some(card) if !card.title.is_empty() && !card.description.is_empty() && card.url.starts_with("http") => {
                Ok(Content::Card {
                    title: card.title.clone(),
                    words: card.description.clone(),
                    lines: Vec::new(),
                    opens: card.url.clone(),
                    buttons: Vec::new(),
                    task: None,
                })
            }
            Some(_) => refused(40058, "textcard invalid. invalid Request Parameter"),
            None => missing(),
        },
        "news" => match &message.news {
            Some(news) => {
                check_articles(&news.articles)?;
                Ok(Content::News { articles: news.articles.clone() })
            }
            None => missing(),
        },
        // No cards with buttons here.
        _ => refused(40008, "invalid message type"),
    }
}

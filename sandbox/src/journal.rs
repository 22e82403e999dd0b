//! What arrived, at whom, when and how many times.

use std::{
    collections::{HashMap, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize, Serializer};

/// The simulator lives in memory: the oldest entries go when there are more than this.
const KEPT: usize = 100_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Platform {
    #[serde(rename = "wechat")]
    WeChat,
    #[serde(rename = "wecom")]
    WeCom,
    #[serde(rename = "dingtalk")]
    DingTalk,
    Feishu,
}

/// A person's phone or a chat group.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Recipient {
    /// By openid.
    Phone(String),
    /// A member of the corporation at WeCom, by user id.
    #[serde(rename = "wecom_user")]
    WeComUser(String),
    /// By the robot's key.
    Group(String),
    /// What a person wrote to the official account, by the writer's phone.
    Account(String),
    /// What a person wrote to the mini-program's customer service, by the writer's phone.
    MiniProgram(String),
}

/// One line of a subscribe message.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Line {
    pub key: String,
    pub label: String,
    pub value: String,
}

/// A button of a card.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Button {
    pub text: String,
    /// What the application is told when it is tapped; empty for one that only opens something.
    pub key: String,
}

/// An article of a news message.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Article {
    pub title: String,
    #[serde(default)]
    pub description: String,
    pub url: String,
    #[serde(default)]
    pub picurl: String,
}

#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Picture {
    pub bytes: Arc<[u8]>,
    pub media_type: &'static str,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} of {} bytes", self.media_type, self.bytes.len())
    }
}

impl Serialize for Picture {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{self:?}"))
    }
}

/// What was said.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Content {
    Text {
        text: String,
        mentioned: Vec<String>,
    },
    Markdown {
        text: String,
    },
    Image {
        picture: Picture,
    },
    News {
        articles: Vec<Article>,
    },
    File {
        name: String,
        bytes: usize,
    },
    Card {
        title: String,
        words: String,
        lines: Vec<Line>,
        /// Address or page that a tap opens.
        opens: String,
        buttons: Vec<Button>,
        /// By which the application knows the taps on its buttons.
        task: Option<String>,
    },
    /// Something that is only named here: a recording, a film, a picture of another server, a group's card.
    Attachment {
        what: &'static str,
        name: String,
    },
    AppMessage {
        text: String,
    },
    SubscribeMessage {
        template_id: String,
        title: String,
        page: Option<String>,
        lines: Vec<Line>,
    },
    CustomerMessage {
        text: String,
    },
    PassiveReply {
        text: String,
    },
    FromPhone {
        text: String,
    },
    /// A picture that a person sent to the official account.
    PictureFromPhone {
        picture: Picture,
    },
    /// A voice note to the official account.
    VoiceFromPhone {
        bytes: usize,
    },
    /// A place on the map to the official account.
    LocationFromPhone {
        label: String,
    },
    /// A tap on the menu under the chat.
    MenuFromPhone {
        name: String,
    },
    /// The notice that the person sees when the account's server does not answer.
    ServiceUnavailable,
}

impl Content {
    /// The name of the kind as in the journal's JSON.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Text { .. } => "text",
            Self::Markdown { .. } => "markdown",
            Self::Image { .. } => "image",
            Self::News { .. } => "news",
            Self::File { .. } => "file",
            Self::Card { .. } => "card",
            Self::Attachment { .. } => "attachment",
            Self::AppMessage { .. } => "app_message",
            Self::SubscribeMessage { .. } => "subscribe_message",
            Self::CustomerMessage { .. } => "customer_message",
            Self::PassiveReply { .. } => "passive_reply",
            Self::FromPhone { .. } => "from_phone",
            Self::PictureFromPhone { .. } => "picture_from_phone",
            Self::VoiceFromPhone { .. } => "voice_from_phone",
            Self::LocationFromPhone { .. } => "location_from_phone",
            Self::MenuFromPhone { .. } => "menu_from_phone",
            Self::ServiceUnavailable => "service_unavailable",
        }
    }

    /// The words of a message, whatever its kind; lines of a card are joined by line feeds.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Text { text, .. }
            | Self::Markdown { text }
            | Self::AppMessage { text }
            | Self::CustomerMessage { text }
            | Self::PassiveReply { text }
            | Self::FromPhone { text } => text.clone(),
            Self::News { articles } => {
                articles.iter().map(|article| article.title.as_str()).collect::<Vec<_>>().join("\n")
            }
            Self::Card { title, words, lines, .. } => {
                let lines = lines.iter().map(|line| format!("{}：{}", line.label, line.value));
                [title.clone(), words.clone()].into_iter().chain(lines).collect::<Vec<_>>().join("\n")
            }
            Self::SubscribeMessage { lines, .. } => {
                lines.iter().map(|line| format!("{}：{}", line.label, line.value)).collect::<Vec<_>>().join("\n")
            }
            Self::File { name, .. }
            | Self::Attachment { name, .. }
            | Self::LocationFromPhone { label: name }
            | Self::MenuFromPhone { name } => name.clone(),
            Self::Image { .. }
            | Self::PictureFromPhone { .. }
            | Self::VoiceFromPhone { .. }
            | Self::ServiceUnavailable => String::new(),
        }
    }
}

/// One message that arrived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Delivery {
    pub id: u64,
    pub at: DateTime<Utc>,
    pub platform: Platform,
    pub to: Recipient,
    pub content: Content,
    /// 1 for the first time that this recipient got this very content, 2 for the second and so on.
    pub occurrence: u32,
    /// When the sender took it back; it stands on no phone any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recalled_at: Option<DateTime<Utc>>,
}

/// One call of a platform's interface, whatever came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Call {
    pub at: DateTime<Utc>,
    pub platform: Platform,
    /// Path without the platform's prefix, as in `/cgi-bin/webhook/send`.
    pub endpoint: String,
    /// Error code that the platform decided on, also where a fault kept the answer from arriving.
    pub code: i64,
    /// Name of the injected fault, if any.
    pub fault: Option<&'static str>,
}

/// One delivery of a push to the account's server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Push {
    pub at: DateTime<Utc>,
    pub openid: String,
    /// `text` or the name of the event.
    pub subject: String,
    /// 1 for the first delivery.
    pub delivery: u32,
    pub result: PushResult,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PushResult {
    Handled,
    Replied,
    Malformed,
    NoAnswer,
    Status(u16),
}

#[derive(Default)]
pub(crate) struct Journal {
    pub(crate) deliveries: VecDeque<Delivery>,
    pub(crate) calls: VecDeque<Call>,
    pub(crate) pushes: VecDeque<Push>,
    /// Per recipient and content.
    occurrences: HashMap<u64, u32>,
    last_id: u64,
}

impl Journal {
    pub(crate) fn deliver(&mut self, at: DateTime<Utc>, platform: Platform, to: Recipient, content: Content) -> u64 {
        let mut hasher = DefaultHasher::new();
        (&to, &content).hash(&mut hasher);
        let occurrence = self.occurrences.entry(hasher.finish()).or_default();
        *occurrence += 1;
        let occurrence = *occurrence;
        self.last_id += 1;
        let id = self.last_id;
        keep(&mut self.deliveries, Delivery { id, at, platform, to, content, occurrence, recalled_at: None });
        id
    }

    pub(crate) fn call(&mut self, call: Call) {
        keep(&mut self.calls, call);
    }

    pub(crate) fn push(&mut self, push: Push) {
        keep(&mut self.pushes, push);
    }

    pub(crate) fn to(&self, recipient: &Recipient) -> Vec<Delivery> {
        self.deliveries.iter().filter(|delivery| delivery.to == *recipient).cloned().collect()
    }
}

fn keep<T>(entries: &mut VecDeque<T>, entry: T) {
    if entries.len() == KEPT {
        entries.pop_front();
    }
    entries.push_back(entry);
}

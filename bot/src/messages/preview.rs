//! A kind of message as each platform would show it, with the room that it takes there.

use chrono::NaiveDate;
use qingfeng_core::{groups::GroupKind, outbox::RecipientKind};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    catalogue::Kind,
    facts::{self, Occasion},
    template::TemplateFault,
    within_bytes, worded_card,
    wordings::worded,
};
use crate::channels::{
    CardTemplates, LONGEST_GROUP_TEXT, Measure, Shown, TemplateCard, card_fields, plain_words, robot_posts,
    wecom_fields,
};

/// Where a message is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PreviewPlatform)]
pub enum Platform {
    SubscribeMessage,
    WecomCard,
    WecomRobot,
    DingtalkRobot,
    FeishuRobot,
    WecomCustomerGroup,
    /// Text that a person puts into an ordinary group.
    PreparedPost,
}

impl Platform {
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::SubscribeMessage => "微信订阅消息",
            Self::WecomCard => "企业微信卡片",
            Self::WecomRobot => "企业微信群机器人",
            Self::DingtalkRobot => "钉钉群机器人",
            Self::FeishuRobot => "飞书群机器人",
            Self::WecomCustomerGroup => "企业微信客户群",
            Self::PreparedPost => "普通微信群（由人转发）",
        }
    }
}

/// One field of a card, or one message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PreviewField)]
pub struct Measured {
    pub name: String,
    pub text: String,
    /// Characters (UTF-16 units) or bytes, as the platform counts.
    pub used: usize,
    /// None where the platform names none.
    pub limit: Option<usize>,
    /// Whether bytes are counted.
    pub in_bytes: bool,
}

/// What one platform gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PreviewView)]
pub struct View {
    pub platform: Platform,
    pub label: &'static str,
    pub fields: Vec<Measured>,
}

/// A message in words, and on each platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    pub words: String,
    pub views: Vec<View>,
}

/// The facts of a message of this kind as it might be.
#[must_use]
pub fn sample_facts(kind: &Kind, today: NaiveDate) -> Value {
    let mut facts = facts::sample(kind.facts(), today);
    if facts.get("title").is_none() {
        facts["title"] = "村口路灯更换".into();
    }
    facts
}

/// Words a message with this text and shows it on each platform that gets such a message; a card to a phone by these templates.
///
/// # Errors
/// When the text does not hold these facts.
pub fn preview(
    kind: &Kind,
    text: &str,
    facts: &Value,
    public_url: &str,
    today: NaiveDate,
    templates: &CardTemplates,
) -> Result<Preview, TemplateFault> {
    let words = worded(kind, text, facts, Occasion { public_url, today })?;
    let view = |platform: Platform, shown: Vec<Shown>| View {
        platform,
        label: platform.label(),
        fields: shown.into_iter().map(Measured::from).collect(),
    };
    let views = if kind.is_post() {
        let plain = plain_words(&words);
        let in_customer_group = Measured::bytes(within_bytes(&plain, LONGEST_GROUP_TEXT), Some(LONGEST_GROUP_TEXT));
        let whole = |platform: Platform, field| View { platform, label: platform.label(), fields: vec![field] };
        vec![
            view(Platform::WecomRobot, robot_posts(GroupKind::WecomRobot, &words)),
            view(Platform::DingtalkRobot, robot_posts(GroupKind::DingtalkRobot, &words)),
            view(Platform::FeishuRobot, robot_posts(GroupKind::FeishuRobot, &words)),
            whole(Platform::WecomCustomerGroup, in_customer_group),
            whole(Platform::PreparedPost, Measured::bytes(plain, None)),
        ]
    } else {
        let card = worded_card(kind, facts, words.clone(), String::new());
        let mut views = vec![view(Platform::SubscribeMessage, card_fields(&card, templates, today))];
        if kind.recipient == RecipientKind::Staff {
            views.push(view(Platform::WecomCard, wecom_fields(&TemplateCard::of(&card, public_url))));
        }
        views
    };
    Ok(Preview { words, views })
}

impl Measured {
    fn bytes(text: String, limit: Option<usize>) -> Self {
        Self { name: "内容".into(), used: text.len(), text, limit, in_bytes: true }
    }
}

impl From<Shown> for Measured {
    fn from(shown: Shown) -> Self {
        Self {
            name: shown.name,
            text: shown.text,
            used: shown.used,
            limit: Some(shown.limit),
            in_bytes: shown.measure == Measure::Bytes,
        }
    }
}

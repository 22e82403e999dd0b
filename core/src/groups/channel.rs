//! How a post gets into a group, and the secret that lets it in.

use sea_orm::{DeriveActiveEnum, EnumIter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The kind of a chat group, as far as posting goes.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    EnumIter,
    DeriveActiveEnum,
    Serialize,
    Deserialize,
    ToSchema,
    strum::EnumString,
)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum GroupKind {
    /// An internal group of WeCom with a robot.
    WecomRobot,
    DingtalkRobot,
    FeishuRobot,
    /// A group of WeCom with outside WeChat users: a post becomes a task that a member confirms with a tap.
    WecomCustomerGroup,
    /// An ordinary chat group: no program may write into it, a person forwards what was prepared.
    OrdinaryChat,
}

/// What opens a robot's webhook: a password. It is sealed in the database and never shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RobotKey {
    /// `key` (WeCom), `access_token` (DingTalk) or the last part of the address (Feishu).
    pub token: String,
    /// Signs each post, where the robot's security setting asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signing_secret: Option<String>,
    /// A word that each post must contain, where the robot's security setting asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keyword: Option<String>,
}

impl std::fmt::Debug for RobotKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("RobotKey")
    }
}

impl RobotKey {
    pub fn new(token: impl Into<String>) -> Self {
        Self { token: token.into(), signing_secret: None, keyword: None }
    }

    #[must_use]
    pub fn signed_with(mut self, secret: impl Into<String>) -> Self {
        self.signing_secret = Some(secret.into());
        self
    }

    /// What an operator types: the bare token, or the whole address out of the platform's screen.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let token = ["key=", "access_token=", "/hook/"]
            .iter()
            .find_map(|before| text.split_once(before))
            .map_or(text, |(_, rest)| rest.split(['&', '#', '?']).next().unwrap_or_default());
        let plain = |letter: u8| letter.is_ascii_alphanumeric() || letter == b'-' || letter == b'_';
        ((1..=128).contains(&token.len()) && token.bytes().all(plain)).then(|| Self::new(token))
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("three texts serialize to JSON")
    }

    /// Keys that were sealed before robots had more than a token stand there bare.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        if text.starts_with('{') { serde_json::from_str(text).ok() } else { Some(Self::new(text)) }
    }
}

/// How a post gets into a new group.
#[derive(Clone, Debug)]
pub enum GroupChannel {
    WecomRobot(RobotKey),
    DingtalkRobot(RobotKey),
    FeishuRobot(RobotKey),
    /// The group's id at WeCom, in the place of a key.
    WecomCustomerGroup(RobotKey),
    OrdinaryChat,
}

impl GroupChannel {
    /// None when a robot has no key.
    #[must_use]
    pub fn of(kind: GroupKind, key: Option<RobotKey>) -> Option<Self> {
        Some(match kind {
            GroupKind::WecomRobot => Self::WecomRobot(key?),
            GroupKind::DingtalkRobot => Self::DingtalkRobot(key?),
            GroupKind::FeishuRobot => Self::FeishuRobot(key?),
            GroupKind::WecomCustomerGroup => Self::WecomCustomerGroup(key?),
            GroupKind::OrdinaryChat => Self::OrdinaryChat,
        })
    }

    #[must_use]
    pub fn kind(&self) -> GroupKind {
        match self {
            Self::WecomRobot(_) => GroupKind::WecomRobot,
            Self::DingtalkRobot(_) => GroupKind::DingtalkRobot,
            Self::FeishuRobot(_) => GroupKind::FeishuRobot,
            Self::WecomCustomerGroup(_) => GroupKind::WecomCustomerGroup,
            Self::OrdinaryChat => GroupKind::OrdinaryChat,
        }
    }

    pub(super) fn key(&self) -> Option<&RobotKey> {
        match self {
            Self::WecomRobot(key)
            | Self::DingtalkRobot(key)
            | Self::FeishuRobot(key)
            | Self::WecomCustomerGroup(key) => Some(key),
            Self::OrdinaryChat => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("693a91f6-7xxx-4bc4", Some("693a91f6-7xxx-4bc4"))]
    #[case(" https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=693a-91f6\n", Some("693a-91f6"))]
    #[case("https://oapi.dingtalk.com/robot/send?access_token=abc123&x=1", Some("abc123"))]
    #[case("https://open.feishu.cn/open-apis/bot/v2/hook/a1-b2", Some("a1-b2"))]
    #[case("", None)]
    #[case("两个字", None)]
    #[case("a b", None)]
    fn an_operator_types_the_key_or_the_whole_address(#[case] typed: &str, #[case] token: Option<&str>) {
        assert_eq!(RobotKey::parse(typed).map(|key| key.token).as_deref(), token);
    }

    #[test]
    fn a_key_shows_nothing_of_itself() {
        let key = RobotKey::new("secret-token").signed_with("secret-signature");
        assert!(!format!("{key:?} {:?}", GroupChannel::WecomRobot(key.clone())).contains("secret-"));
        assert_eq!(RobotKey::from_bytes(&key.to_bytes()), Some(key));
        assert_eq!(RobotKey::from_bytes(b"old-bare-key"), Some(RobotKey::new("old-bare-key")));
    }
}

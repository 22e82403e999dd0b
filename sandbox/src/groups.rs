//! Chat groups with a robot in them, and ordinary ones.

use serde::{Deserialize, Serialize};

/// Which platform's group it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupKind {
    #[default]
    Wecom,
    Dingtalk,
    Feishu,
    /// A group of WeCom with outside WeChat users in it: only a member's tap writes into it.
    Customer,
    /// A group of WeCom that an application made.
    Application,
    /// An ordinary chat group: nothing but people's phones writes into it.
    Ordinary,
}

impl GroupKind {
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Wecom => "企业微信群",
            Self::Dingtalk => "钉钉群",
            Self::Feishu => "飞书群",
            Self::Customer => "企业微信客户群",
            Self::Application => "企业微信应用群",
            Self::Ordinary => "普通微信群",
        }
    }
}

/// A chat group of the village, addressed by the key of its robot, or by its own id where there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    pub key: String,
    pub name: String,
    #[serde(default)]
    pub kind: GroupKind,
    /// Posts must be signed with it (DingTalk, Feishu).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signing_secret: Option<String>,
    /// Posts must contain it (DingTalk, Feishu).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keyword: Option<String>,
    /// The member of the corporation to whom it belongs (customer groups and groups of an application).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Members of the corporation who are in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<String>,
}

impl Group {
    /// A group of WeCom.
    pub fn new(key: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            name: name.into(),
            kind: GroupKind::Wecom,
            signing_secret: None,
            keyword: None,
            owner: None,
            members: Vec::new(),
        }
    }

    /// A customer group of this member of the corporation.
    #[must_use]
    pub fn of_customers(mut self, owner: &str) -> Self {
        self.kind = GroupKind::Customer;
        self.owner = Some(owner.to_lowercase());
        self
    }

    /// This member of the corporation is in it, too.
    #[must_use]
    pub fn with_member(mut self, user_id: &str) -> Self {
        self.members.push(user_id.to_lowercase());
        self
    }

    /// Whether it belongs to this member of the corporation, or he is in it.
    pub(crate) fn has(&self, user_id: &str) -> bool {
        self.owner.as_deref() == Some(user_id) || self.members.iter().any(|member| member == user_id)
    }

    #[must_use]
    pub fn of_kind(mut self, kind: GroupKind) -> Self {
        self.kind = kind;
        self
    }

    #[must_use]
    pub fn signed_with(mut self, secret: impl Into<String>) -> Self {
        self.signing_secret = Some(secret.into());
        self
    }

    #[must_use]
    pub fn with_keyword(mut self, keyword: impl Into<String>) -> Self {
        self.keyword = Some(keyword.into());
        self
    }
}

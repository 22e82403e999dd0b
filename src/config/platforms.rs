//! The messaging platforms: addresses, accounts, what both sides agreed on for pushes.

use qingfeng_bot::channels::{TemplateKeys, TemplateUse};
use serde::{Deserialize, Serialize};

use super::subscribe_templates::shipped;

/// The mini-program: sign-in, subscribe messages, its customer-service chat.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WeChat {
    /// Where the platform answers, for the mini-program and for the official account.
    pub api_base: String,
    pub app_id: String,
    pub app_secret: String,
    /// Token of the message push; set in the platform's console and here.
    pub callback_token: String,
    /// `EncodingAESKey` of the message push, and while it is being changed the former one after it; none = pushes are plain.
    pub callback_keys: Vec<String>,
    /// The templates are long-term ones (offline public services): one accept holds until it is withdrawn.
    pub long_term_templates: bool,
    /// Templates of subscribe messages: their ids, and what their keys carry.
    #[serde(with = "super::subscribe_templates::reminder")]
    pub reminder_template: TemplateKeys,
    #[serde(with = "super::subscribe_templates::progress")]
    pub progress_template: TemplateKeys,
}

impl Default for WeChat {
    fn default() -> Self {
        Self {
            api_base: "http://127.0.0.1:8090/wechat".into(),
            app_id: "wxsandbox0000000001".into(),
            app_secret: "sandbox-app-secret".into(),
            callback_token: "sandbox-callback-token".into(),
            callback_keys: Vec::new(),
            long_term_templates: false,
            reminder_template: shipped(TemplateUse::Reminder),
            progress_template: shipped(TemplateUse::Progress),
        }
    }
}

/// The official account (服务号) in whose chat residents write. To the platform it is another account than the mini-program:
/// its own secret, access tokens and pushes, and other openids for the same people.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OfficialAccount {
    pub app_id: String,
    pub app_secret: String,
    /// Token of its message push; set in the platform's console and here.
    pub callback_token: String,
    /// `EncodingAESKey` of its message push, and while it is being changed the former one after it.
    pub callback_keys: Vec<String>,
    /// Templates of its cards, to who follows it and has no accept of the mini-program's left: both, or it sends none.
    #[serde(with = "super::subscribe_templates::optional_reminder", skip_serializing_if = "Option::is_none")]
    pub reminder_template: Option<TemplateKeys>,
    #[serde(with = "super::subscribe_templates::optional_progress", skip_serializing_if = "Option::is_none")]
    pub progress_template: Option<TemplateKeys>,
}

impl OfficialAccount {
    /// The simulator's, for demonstrations and tests.
    #[must_use]
    pub fn simulated() -> Self {
        Self {
            app_id: "wxsandbox0000000002".into(),
            app_secret: "sandbox-account-secret".into(),
            callback_token: "sandbox-account-token".into(),
            callback_keys: Vec::new(),
            reminder_template: Some(shipped(TemplateUse::Reminder)),
            progress_template: Some(shipped(TemplateUse::Progress)),
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WeCom {
    pub api_base: String,
    /// The corporation; empty = staff are not reached through WeCom.
    pub corp_id: String,
    /// The application's number and secret.
    pub agent_id: i64,
    pub app_secret: String,
    /// Where staff's browsers go to sign in.
    pub oauth_base: String,
    /// Token and `EncodingAESKey` of the application's message receiving; the former key may stand after the present one.
    pub callback_token: String,
    pub callback_keys: Vec<String>,
    /// The same of the smart robot (智能机器人); no keys = there is none.
    pub robot_token: String,
    pub robot_keys: Vec<String>,
}

impl Default for WeCom {
    fn default() -> Self {
        Self {
            api_base: "http://127.0.0.1:8090/wecom".into(),
            corp_id: "wwsandbox0000000001".into(),
            agent_id: 1_000_002,
            app_secret: "sandbox-wecom-secret".into(),
            oauth_base: "https://open.weixin.qq.com".into(),
            callback_token: "sandbox-wecom-token".into(),
            callback_keys: vec!["SandboxSandboxSandboxSandboxSandboxSandboxS".into()],
            robot_token: String::new(),
            robot_keys: Vec::new(),
        }
    }
}

/// DingTalk, for its group robots.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DingTalk {
    pub api_base: String,
}

impl Default for DingTalk {
    fn default() -> Self {
        Self { api_base: "http://127.0.0.1:8090/dingtalk".into() }
    }
}

/// Feishu, for its group robots.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Feishu {
    pub api_base: String,
}

impl Default for Feishu {
    fn default() -> Self {
        Self { api_base: "http://127.0.0.1:8090/feishu".into() }
    }
}

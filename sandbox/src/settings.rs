//! What a simulated platform is set up with.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{groups::Group, limits::Limits, phones::Phone, wechat::Template};

/// Where the simulator takes the time from. Tests inject a clock they can move.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// An account that the operator would set up in the platform's console.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    pub app_id: String,
    pub app_secret: String,
    /// The account's own address in messages (`gh_…`).
    pub original_id: String,
    /// Name above the chat with the account.
    pub name: String,
    /// Where messages and events are pushed to. Without it nothing is pushed.
    pub callback_url: Option<String>,
    /// Signs what is pushed.
    pub callback_token: String,
    /// `EncodingAESKey`: what is pushed is encrypted. Without it pushes are plain.
    #[serde(default)]
    pub callback_key: Option<String>,
    /// Pushes carry the message in the clear beside the encrypted one, as while an account changes to encryption.
    #[serde(default)]
    pub compatible: bool,
    /// How events are written; messages that are answered are XML.
    #[serde(default)]
    pub event_format: EventFormat,
    /// Address of the residents' app, opened with `?code=` by the phone's button.
    pub app_url: String,
    /// Pages of the mini-program's released version; links and codes to others are refused. None = every page exists.
    #[serde(default)]
    pub pages: Vec<String>,
}

impl Account {
    /// The official account beside the mini-program.
    #[must_use]
    pub fn official() -> Self {
        Self {
            app_id: "wxsandbox0000000002".into(),
            app_secret: "sandbox-account-secret".into(),
            original_id: "gh_sandbox000002".into(),
            callback_token: "sandbox-account-token".into(),
            ..Self::default()
        }
    }

    /// Whether the mini-program's released version has the page.
    pub(crate) fn has_page(&self, path: &str) -> bool {
        let path = path.split('?').next().unwrap_or_default().trim_start_matches('/');
        self.pages.is_empty() || self.pages.iter().any(|page| page == path)
    }
}

impl Default for Account {
    fn default() -> Self {
        Self {
            app_id: "wxsandbox0000000001".into(),
            app_secret: "sandbox-app-secret".into(),
            original_id: "gh_sandbox000001".into(),
            name: "清风服务号".into(),
            callback_url: None,
            callback_token: "sandbox-callback-token".into(),
            callback_key: None,
            compatible: false,
            event_format: EventFormat::default(),
            app_url: "http://127.0.0.1:8080/app/".into(),
            pages: Vec::new(),
        }
    }
}

/// The application of a corporation at WeCom.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeComAccount {
    pub corp_id: String,
    pub agent_id: i64,
    pub secret: String,
    /// Where taps and texts of members are pushed to. Without it nothing is pushed.
    #[serde(default)]
    pub callback_url: Option<String>,
    pub callback_token: String,
    /// `EncodingAESKey`: pushes of WeCom are always encrypted.
    pub callback_key: String,
    /// The same of the smart robot.
    #[serde(default)]
    pub robot_callback_url: Option<String>,
    pub robot_token: String,
    pub robot_key: String,
}

impl Default for WeComAccount {
    fn default() -> Self {
        Self {
            corp_id: "wwsandbox0000000001".into(),
            agent_id: 1_000_002,
            secret: "sandbox-wecom-secret".into(),
            callback_url: None,
            callback_token: "sandbox-wecom-token".into(),
            callback_key: "SandboxSandboxSandboxSandboxSandboxSandboxS".into(),
            robot_callback_url: None,
            robot_token: "sandbox-robot-token".into(),
            robot_key: "SandboxRobotSandboxRobotSandboxRobotSandbox".into(),
        }
    }
}

/// Mini-programs choose, official accounts have XML only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventFormat {
    #[default]
    Xml,
    Json,
}

/// Settings of one simulator.
#[derive(Clone)]
pub struct SandboxSettings {
    /// The mini-program.
    pub account: Account,
    /// None = the one account plays both, for trials of single interfaces; the platform has no such account.
    pub official_account: Option<Account>,
    /// Both accounts are bound to one another at the Open Platform: a person has one union id at both.
    pub open_platform: bool,
    pub wecom: WeComAccount,
    pub clock: Clock,
    /// Lifetime of an access token; the platform says 7200 s.
    pub token_lifetime: Duration,
    /// How long a push waits for the answer before it is delivered again; the platform says 5 s.
    pub push_patience: Duration,
    /// How long WeCom waits for the answer to the question whether an address is the application's; it says 1 s.
    pub verification_patience: Duration,
    /// Deliveries of one push in total. Three retries in the platform's text, three deliveries in the field.
    pub push_deliveries: u32,
    /// How long the platform works on one subscribe message. A second one to the same person meanwhile is refused.
    pub subscribe_send_duration: Duration,
    pub phones: Vec<Phone>,
    pub groups: Vec<Group>,
    pub templates: Vec<Template>,
    pub limits: Limits,
}

impl Default for SandboxSettings {
    fn default() -> Self {
        Self {
            account: Account::default(),
            official_account: Some(Account::official()),
            open_platform: false,
            wecom: WeComAccount::default(),
            clock: Arc::new(Utc::now),
            token_lifetime: Duration::from_secs(7200),
            push_patience: Duration::from_secs(5),
            verification_patience: Duration::from_secs(1),
            push_deliveries: 3,
            subscribe_send_duration: Duration::ZERO,
            phones: Vec::new(),
            groups: Vec::new(),
            templates: Vec::new(),
            limits: Limits::default(),
        }
    }
}

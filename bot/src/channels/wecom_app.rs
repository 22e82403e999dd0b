//! Messages of WeCom's application to members of staff: no consent per message, and a guard against doubles.

use std::sync::Arc;

use qingfeng_core::{cache::Cache, clock::Clock, refusal::Fault};
use serde_json::{Value, json};

use super::{
    PlatformSettings,
    access_token::{AccessTokens, Issuer},
    check_base,
    codes::{Place, meaning},
    exchange,
    parts::parts,
    template_card::TemplateCard,
};
use crate::delivery::Outcome;

/// Longest text and markdown, in bytes of UTF-8. The platform cuts a longer text without a word.
pub(crate) const LONGEST_TEXT: usize = 2048;
/// How long the platform recognizes a message that it has had already, in seconds: the longest that it offers.
pub(crate) const GUARDED_FOR: u32 = 14_400;

/// The application at WeCom.
#[derive(Clone)]
pub struct WeComAppSettings {
    pub corp_id: String,
    pub agent_id: i64,
    pub secret: String,
}

impl std::fmt::Debug for WeComAppSettings {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "WeComAppSettings {} {}", self.corp_id, self.agent_id)
    }
}

/// What the application tells a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AppMessage {
    Text(String),
    Markdown(String),
    Card(TemplateCard),
}

impl AppMessage {
    /// The messages that it takes, each within the platform's limit. They say nothing about whom they go to.
    #[must_use]
    pub fn bodies(&self) -> Vec<Value> {
        match self {
            Self::Text(text) => parts(text, LONGEST_TEXT, str::len)
                .iter()
                .map(|part| json!({"msgtype": "text", "text": {"content": part}}))
                .collect(),
            Self::Markdown(text) => parts(text, LONGEST_TEXT, str::len)
                .iter()
                .map(|part| json!({"msgtype": "markdown", "markdown": {"content": part}}))
                .collect(),
            Self::Card(card) => vec![json!({"msgtype": "template_card", "template_card": card.value()})],
        }
    }
}

/// The application's messages.
pub struct WeComApp {
    client: reqwest::Client,
    clock: Arc<dyn Clock>,
    tokens: AccessTokens,
    base: String,
    agent_id: i64,
}

impl WeComApp {
    /// None when no application is set up.
    ///
    /// # Errors
    /// When the platform's address is neither https nor on this machine.
    pub fn new(
        client: reqwest::Client,
        cache: Arc<dyn Cache>,
        clock: Arc<dyn Clock>,
        holder: &str,
        settings: &PlatformSettings,
    ) -> Result<Option<Self>, Fault> {
        check_base("wecom.api_base", &settings.wecom_api_base)?;
        let Some(app) = &settings.wecom_app else { return Ok(None) };
        let issuer = Issuer::WeCom {
            base: settings.wecom_api_base.clone(),
            corp_id: app.corp_id.clone(),
            agent_id: app.agent_id,
            secret: app.secret.clone(),
        };
        Ok(Some(Self {
            tokens: AccessTokens::new(client.clone(), cache, Arc::clone(&clock), holder, issuer),
            client,
            clock,
            base: settings.wecom_api_base.clone(),
            agent_id: app.agent_id,
        }))
    }

    /// A message as it will leave: the very same text again within [`GUARDED_FOR`] seconds is not delivered twice.
    #[must_use]
    pub fn envelope(&self, user_id: &str, mut body: Value) -> String {
        body["touser"] = user_id.into();
        body["agentid"] = self.agent_id.into();
        body["enable_duplicate_check"] = 1.into();
        body["duplicate_check_interval"] = GUARDED_FOR.into();
        body.to_string()
    }

    /// Sends what [`Self::envelope`] made. A stale token is replaced and the message tried once more.
    pub async fn send(&self, envelope: &str) -> Outcome {
        let now = self.clock.now();
        let request = |token: &str| {
            self.client
                .post(format!("{}/cgi-bin/message/send", self.base))
                .query(&[("access_token", token)])
                .header("content-type", "application/json")
                .body(envelope.to_owned())
        };
        let answer = match self.tokens.call(request).await {
            Ok(answer) => answer,
            Err(outcome) => return outcome,
        };
        let Some(code) = exchange::code(&answer, "errcode") else {
            return Outcome::Unknown("企业微信的回应看不懂，不知道是否已发出".into());
        };
        // To nobody is a success to the platform.
        let left_out = |field: &str| answer[field].as_str().is_some_and(|people| !people.is_empty());
        if code == 0 && (left_out("invaliduser") || left_out("unlicenseduser")) {
            return meaning(Place::WeComCall, 81013).outcome(now);
        }
        match meaning(Place::WeComCall, code).outcome(now) {
            Outcome::Taken(_) => Outcome::Taken(answer["msgid"].as_str().map(str::to_owned)),
            other => other,
        }
    }
}

//! Messages of WeCom's application to members of staff: no consent per message, and a guard against doubles.

use std::sync::Arc;

use qingfeng_core::{cache::Cache, clock::Clock, refusal::Fault};
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use super::{
    PATIENCE_FOR_UPLOADS, PlatformSettings,
    access_token::{AccessTokens, Issuer},
    check_base,
    codes::{Meaning, Place, meaning},
    exchange,
    parts::parts,
    template_card::{BUTTON, TemplateCard},
    watch::Watch,
};
use crate::{delivery::Outcome, messages::shorten};

/// Longest text and markdown, in bytes of UTF-8. The platform cuts a longer text without a word.
pub(crate) const LONGEST_TEXT: usize = 2048;
/// How long the platform recognizes a message that it has had already, in seconds: the longest that it offers.
pub(crate) const GUARDED_FOR: u32 = 14_400;

/// Why it is not known who somebody is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MemberFault {
    /// Somebody outside the corporation.
    Outsider,
    /// The code is unknown, used or too old.
    BadCode,
    Unavailable(String),
}

/// What an application uploads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaKind {
    Image,
    File,
}

impl MediaKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::File => "file",
        }
    }
}

/// A picture or a file with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    pub kind: MediaKind,
    pub name: String,
    pub bytes: Vec<u8>,
}

impl Media {
    /// More than five bytes; a picture up to 5 MB (the smaller of the two limits that are documented), a file up to 20 MB.
    fn check(&self) -> Result<(), &'static str> {
        let (largest, refusal) = match self.kind {
            MediaKind::Image => (5 * 1024 * 1024, "图片要有6字节至5MB"),
            MediaKind::File => (20 * 1024 * 1024, "文件要有6字节至20MB"),
        };
        if (6..=largest).contains(&self.bytes.len()) { Ok(()) } else { Err(refusal) }
    }
}

/// The application at WeCom.
#[derive(Clone)]
pub struct WeComAppSettings {
    pub corp_id: String,
    pub agent_id: i64,
    pub secret: String,
    /// Whether its pushes come to us: without a callback the platform refuses cards with buttons.
    pub has_callback: bool,
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
    /// What [`WeComApp::upload`] gave.
    Image(String),
    File(String),
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
            Self::Image(media) => vec![json!({"msgtype": "image", "image": {"media_id": media}})],
            Self::File(media) => vec![json!({"msgtype": "file", "file": {"media_id": media}})],
        }
    }
}

/// The application's messages.
pub struct WeComApp {
    pub(super) client: reqwest::Client,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) tokens: AccessTokens,
    pub(super) base: String,
    agent_id: i64,
    has_callback: bool,
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
        watch: &Watch,
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
            tokens: AccessTokens::new(client.clone(), cache, Arc::clone(&clock), watch.clone(), holder, issuer),
            client,
            clock,
            base: settings.wecom_api_base.clone(),
            agent_id: app.agent_id,
            has_callback: app.has_callback,
        }))
    }

    /// Whether a tap on a card's button would come to us.
    #[must_use]
    pub fn takes_taps(&self) -> bool {
        self.has_callback
    }

    /// Puts the menu under the chat with the application; what stood there before is replaced.
    ///
    /// # Errors
    /// An outcome that is not [`Outcome::Taken`].
    pub async fn create_menu(&self, menu: &Value) -> Result<(), Outcome> {
        let agent = self.agent_id.to_string();
        let request = |token: &str| {
            self.client
                .post(format!("{}/cgi-bin/menu/create", self.base))
                .query(&[("access_token", token), ("agentid", agent.as_str())])
                .json(menu)
        };
        let answer = self.tokens.call("/cgi-bin/menu/create", request).await?;
        let Some(code) = exchange::code(&answer, "errcode") else {
            return Err(Outcome::Unknown("企业微信的回应看不懂，不知道菜单是否已放好".into()));
        };
        match meaning(Place::WeComCall, code).outcome(self.clock.now()) {
            Outcome::Taken(_) => Ok(()),
            other => Err(other),
        }
    }

    /// The application alone, for a server that sends nothing but asks who somebody is.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn connect(
        cache: Arc<dyn Cache>,
        clock: Arc<dyn Clock>,
        watch: &Watch,
        holder: &str,
        settings: &PlatformSettings,
    ) -> Result<Option<Self>, Fault> {
        Self::new(super::client()?, cache, clock, watch, holder, settings)
    }

    /// The member of the corporation to whom the platform gave this code; it works once.
    ///
    /// # Errors
    /// [`MemberFault`].
    pub async fn member(&self, code: &str) -> Result<String, MemberFault> {
        let request = |token: &str| {
            self.client
                .get(format!("{}/cgi-bin/auth/getuserinfo", self.base))
                .query(&[("access_token", token), ("code", code)])
        };
        let unavailable = |outcome: Outcome| MemberFault::Unavailable(format!("WeCom: {outcome:?}"));
        let answer = self.tokens.call("/cgi-bin/auth/getuserinfo", request).await.map_err(unavailable)?;
        match exchange::code(&answer, "errcode").unwrap_or(0) {
            0 => {}
            40029 => return Err(MemberFault::BadCode),
            other => return Err(MemberFault::Unavailable(format!("WeCom refuses the login with {other}"))),
        }
        // Older answers write it with a capital letter.
        let user = ["userid", "UserId"].into_iter().find_map(|field| answer[field].as_str());
        user.filter(|user| !user.is_empty()).map(str::to_owned).ok_or(MemberFault::Outsider)
    }

    /// Uploads a picture or a file; good for three days.
    ///
    /// # Errors
    /// An outcome that is not [`Outcome::Taken`]; nothing was sent to anybody yet.
    pub async fn upload(&self, media: &Media) -> Result<String, Outcome> {
        media.check().map_err(|reason| Outcome::Final(reason.into()))?;
        let request = |token: &str| {
            let part = Part::bytes(media.bytes.clone()).file_name(media.name.clone());
            self.client
                .post(format!("{}/cgi-bin/media/upload", self.base))
                .query(&[("access_token", token), ("type", media.kind.as_str())])
                .timeout(PATIENCE_FOR_UPLOADS)
                .multipart(Form::new().part("media", part))
        };
        let now = self.clock.now();
        let later = |reason: &str| Meaning::later(2, reason).outcome(now);
        let answer = match self.tokens.call("/cgi-bin/media/upload", request).await {
            Ok(answer) => answer,
            Err(Outcome::Unknown(_)) => return Err(later("文件没有传到企业微信")),
            Err(outcome) => return Err(outcome),
        };
        match (exchange::code(&answer, "errcode").unwrap_or(0), answer["media_id"].as_str()) {
            (0, Some(id)) => Ok(id.to_owned()),
            (0, None) => Err(later("企业微信没有给文件编号")),
            (code, _) => Err(meaning(Place::WeComCall, code).outcome(now)),
        }
    }

    /// Lets the buttons of a card that somebody tapped become one that says this and does nothing. The code came with the tap
    /// and is good once.
    pub async fn update_card(&self, user_id: &str, response_code: &str, words: &str) -> Outcome {
        let body = json!({
            "userids": [user_id], "agentid": self.agent_id, "response_code": response_code,
            "button": {"replace_name": shorten(words, BUTTON)},
        });
        let request = |token: &str| {
            self.client
                .post(format!("{}/cgi-bin/message/update_template_card", self.base))
                .query(&[("access_token", token)])
                .json(&body)
        };
        let answer = match self.tokens.call("/cgi-bin/message/update_template_card", request).await {
            Ok(answer) => answer,
            Err(outcome) => return outcome,
        };
        match exchange::code(&answer, "errcode") {
            Some(code) => meaning(Place::WeComCall, code).outcome(self.clock.now()),
            None => Outcome::Unknown("企业微信的回应看不懂，不知道是否已改".into()),
        }
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
        let answer = match self.tokens.call("/cgi-bin/message/send", request).await {
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
            Outcome::Taken(_) => Outcome::Taken(exchange::reference(&answer)),
            other => other,
        }
    }
}

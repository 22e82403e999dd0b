use std::{sync::Arc, time::Duration};

use chrono::{NaiveDate, TimeDelta};
use qingfeng_core::{
    cache::Cache,
    clock::{Clock, shanghai_date},
    outbox::consents::Validity,
    refusal::Fault,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    PlatformSettings, check_base,
    codes::{Meaning, Place, meaning},
    may_have_arrived,
};
use crate::{delivery::Outcome, messages::shorten};

/// A token that ends sooner than this is not worth keeping.
const MARGIN: u64 = 300;

/// A `thing` holds at most 20 characters.
pub(crate) const LONGEST_THING: usize = 20;

/// Which template a card uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemplateUse {
    /// 事项 · 期限 · 提示 · 原因.
    Reminder,
    /// 事项 · 进展 · 原因.
    Progress,
}

/// A card on somebody's phone. Texts are shortened to what the platform takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    pub template: TemplateUse,
    pub matter: String,
    pub due_on: Option<NaiveDate>,
    pub hint: String,
    /// Why this person gets it.
    pub reason: String,
    /// Page of the mini-program that opens.
    pub page: String,
}

impl Card {
    /// The template's fields, each within what the platform takes.
    pub(crate) fn fields(&self, today: NaiveDate) -> Value {
        let thing = |text: &str| json!({"value": shorten(text, LONGEST_THING)});
        match self.template {
            TemplateUse::Reminder => json!({
                "thing1": thing(&self.matter),
                "date2": {"value": self.due_on.unwrap_or(today).format("%Y年%-m月%-d日").to_string()},
                "thing3": thing(&self.hint),
                "thing4": thing(&self.reason),
            }),
            TemplateUse::Progress => json!({
                "thing1": thing(&self.matter),
                "thing2": thing(&self.hint),
                "thing3": thing(&self.reason),
            }),
        }
    }
}

/// Subscribe messages of the mini-program.
pub struct SubscribeMessages {
    client: reqwest::Client,
    cache: Arc<dyn Cache>,
    clock: Arc<dyn Clock>,
    settings: PlatformSettings,
}

#[derive(Deserialize)]
struct TokenAnswer {
    #[serde(default)]
    errcode: i64,
    access_token: Option<String>,
    expires_in: Option<u64>,
}

#[derive(Deserialize)]
struct SendAnswer {
    #[serde(default)]
    errcode: i64,
    msgid: Option<Value>,
}

impl SubscribeMessages {
    /// # Errors
    /// When the platform's address is neither https nor on this machine.
    pub fn new(
        client: reqwest::Client,
        cache: Arc<dyn Cache>,
        clock: Arc<dyn Clock>,
        settings: &PlatformSettings,
    ) -> Result<Self, Fault> {
        check_base("wechat.api_base", &settings.wechat_api_base)?;
        Ok(Self { client, cache, clock, settings: settings.clone() })
    }

    /// The platform's name of a template.
    pub(crate) fn template_id(&self, template: TemplateUse) -> &str {
        match template {
            TemplateUse::Reminder => &self.settings.reminder_template,
            TemplateUse::Progress => &self.settings.progress_template,
        }
    }

    /// How long accepts last.
    pub(crate) fn consents(&self) -> Validity {
        self.settings.consents
    }

    /// Sends a card. A stale token is replaced and the card tried once more; nothing else is sent twice.
    pub async fn send(&self, open_id: &str, card: &Card) -> Outcome {
        let mut refreshed = false;
        loop {
            let token = match self.token().await {
                Ok(token) => token,
                Err(outcome) => return outcome,
            };
            let (code, reference) = match self.attempt(&token, open_id, card).await {
                Ok(answer) => answer,
                Err(outcome) => return outcome,
            };
            match meaning(Place::MiniProgramCall, code) {
                Meaning::Taken => return Outcome::Taken(reference),
                Meaning::TokenStale if !refreshed => {
                    refreshed = true;
                    // Only if it is still the one that was refused: another bot may have got a new one.
                    if let Err(fault) = self.cache.remove_if(&self.token_key(), token.as_bytes()).await {
                        return Outcome::Later {
                            at: self.clock.now() + TimeDelta::minutes(1),
                            reason: fault.to_string(),
                        };
                    }
                }
                other => return other.outcome(self.clock.now()),
            }
        }
    }

    fn token_key(&self) -> String {
        format!("wechat_token:{}", self.settings.app_id)
    }

    /// The stable token, shared by all bots through the cache.
    async fn token(&self) -> Result<String, Outcome> {
        let later = |reason: String| Outcome::Later { at: self.clock.now() + TimeDelta::minutes(2), reason };
        if let Ok(Some(token)) = self.cache.get(&self.token_key()).await
            && let Ok(token) = String::from_utf8(token)
        {
            return Ok(token);
        }
        let body = json!({
            "grant_type": "client_credential",
            "appid": self.settings.app_id,
            "secret": self.settings.app_secret,
            "force_refresh": false,
        });
        let answer = self
            .client
            .post(format!("{}/cgi-bin/stable_token", self.settings.wechat_api_base))
            .json(&body)
            .send()
            .await
            .map_err(|_| later("连不上微信".into()))?;
        let answer: TokenAnswer = answer.json().await.map_err(|_| later("微信的回应看不懂".into()))?;
        match (answer.errcode, answer.access_token) {
            (0, Some(token)) => {
                let lasts = answer.expires_in.unwrap_or(0);
                let keep = lasts - MARGIN.min(lasts / 2);
                if keep > 0 {
                    let _ = self.cache.set(&self.token_key(), token.as_bytes(), Duration::from_secs(keep)).await;
                }
                Ok(token)
            }
            (code, _) => Err(meaning(Place::TokenEndpoint, code).outcome(self.clock.now())),
        }
    }

    async fn attempt(&self, token: &str, open_id: &str, card: &Card) -> Result<(i64, Option<String>), Outcome> {
        let data = card.fields(shanghai_date(self.clock.now()));
        let body = json!({
            "touser": open_id,
            "template_id": self.template_id(card.template),
            "page": card.page,
            "miniprogram_state": "formal",
            "lang": "zh_CN",
            "data": data,
        });
        let sent = self
            .client
            .post(format!("{}/cgi-bin/message/subscribe/send", self.settings.wechat_api_base))
            .query(&[("access_token", token)])
            .json(&body)
            .send()
            .await;
        let later =
            |reason: &str| Outcome::Later { at: self.clock.now() + TimeDelta::minutes(2), reason: reason.into() };
        let response = match sent {
            Ok(response) => response,
            Err(error) if may_have_arrived(&error) => {
                return Err(Outcome::Unknown("平台没有回应，不知道是否已发出".into()));
            }
            Err(_) => return Err(later("连不上微信")),
        };
        if response.status().is_server_error() {
            return Err(later("微信暂时不可用"));
        }
        let answer: SendAnswer = match response.json().await {
            Ok(answer) => answer,
            Err(_) => return Err(Outcome::Unknown("平台的回应看不懂，不知道是否已发出".into())),
        };
        Ok((answer.errcode, answer.msgid.map(|id| id.to_string())))
    }
}

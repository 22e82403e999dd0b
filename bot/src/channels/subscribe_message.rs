use std::sync::Arc;

use chrono::NaiveDate;
use qingfeng_core::{
    clock::{Clock, shanghai_date},
    outbox::consents::Validity,
};
use serde_json::{Value, json};

use super::{
    PlatformSettings,
    access_token::AccessTokens,
    codes::{Meaning, Place, meaning},
    exchange,
};
use crate::{delivery::Outcome, messages::shorten};

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

/// The platform does not take the template itself, whatever is in the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplateTrouble {
    /// It says that there is none, which may pass.
    Doubted { code: i32, reason: String },
    /// It took the template away.
    Dead { code: i32, reason: String },
}

/// Subscribe messages of the mini-program.
pub struct SubscribeMessages {
    client: reqwest::Client,
    clock: Arc<dyn Clock>,
    tokens: Arc<AccessTokens>,
    settings: PlatformSettings,
}

impl SubscribeMessages {
    pub(super) fn new(
        client: reqwest::Client,
        clock: Arc<dyn Clock>,
        tokens: Arc<AccessTokens>,
        settings: &PlatformSettings,
    ) -> Self {
        Self { client, clock, tokens, settings: settings.clone() }
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
    ///
    /// # Errors
    /// [`TemplateTrouble`].
    pub async fn send(&self, open_id: &str, card: &Card) -> Result<Outcome, TemplateTrouble> {
        let now = self.clock.now();
        let body = json!({
            "touser": open_id,
            "template_id": self.template_id(card.template),
            "page": card.page,
            "miniprogram_state": "formal",
            "lang": "zh_CN",
            "data": card.fields(shanghai_date(now)),
        });
        let path = "/cgi-bin/message/subscribe/send";
        let request = |token: &str| {
            self.client
                .post(format!("{}{path}", self.settings.wechat_api_base))
                .query(&[("access_token", token)])
                .json(&body)
        };
        let answer = match self.tokens.call(path, request).await {
            Ok(answer) => answer,
            Err(outcome) => return Ok(outcome),
        };
        let code = exchange::code(&answer, "errcode").unwrap_or(0);
        let known = i32::try_from(code).unwrap_or_default();
        match meaning(Place::WeChatCall, code) {
            Meaning::Taken => Ok(Outcome::Taken(exchange::reference(&answer))),
            Meaning::TemplateDoubted(reason) => Err(TemplateTrouble::Doubted { code: known, reason }),
            Meaning::TemplateDead(reason) => Err(TemplateTrouble::Dead { code: known, reason }),
            other => Ok(other.outcome(now)),
        }
    }
}

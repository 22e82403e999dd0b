use std::sync::Arc;

use chrono::NaiveDate;
use qingfeng_core::{
    clock::{Clock, shanghai},
    outbox::consents::Validity,
};
use serde_json::json;

use super::{
    PlatformSettings,
    access_token::AccessTokens,
    exchange,
    templates::{ListedTemplate, TemplateUse},
    trouble::{TemplateTrouble, taken},
};
use crate::delivery::Outcome;

/// A card on somebody's phone. The template's keys say where its words go, and texts are shortened to what the platform takes.
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
        self.settings.templates.of(template).id()
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
            "data": self.settings.templates.of(card.template).data(card, now.with_timezone(&shanghai()).naive_local()),
        });
        let path = "/cgi-bin/message/subscribe/send";
        let request = |token: &str| {
            self.client
                .post(format!("{}{path}", self.settings.wechat_api_base))
                .query(&[("access_token", token)])
                .json(&body)
        };
        match self.tokens.call(path, request).await {
            Ok(answer) => taken(&answer, now),
            Err(outcome) => Ok(outcome),
        }
    }

    /// The templates that the account has at the platform now.
    ///
    /// # Errors
    /// An outcome that is not [`Outcome::Taken`].
    pub async fn listed(&self) -> Result<Vec<ListedTemplate>, Outcome> {
        let path = "/wxaapi/newtmpl/gettemplate";
        let request = |token: &str| {
            self.client.get(format!("{}{path}", self.settings.wechat_api_base)).query(&[("access_token", token)])
        };
        let answer = self.tokens.call(path, request).await?;
        exchange::succeeded(&answer, self.clock.now())?;
        Ok(ListedTemplate::all(&answer))
    }

    /// What of the configured templates does not fit the account's, as Chinese sentences.
    ///
    /// # Errors
    /// An outcome that is not [`Outcome::Taken`]: then nothing is known.
    pub async fn misfits(&self) -> Result<Vec<String>, Outcome> {
        Ok(self.misfits_of(&self.listed().await?))
    }

    /// The same, of what the account was found to have.
    pub(crate) fn misfits_of(&self, listed: &[ListedTemplate]) -> Vec<String> {
        self.settings.templates.misfits(Some(self.settings.consents), listed)
    }

    /// The templates by which every card would be refused.
    pub(crate) fn unfit(&self, listed: &[ListedTemplate]) -> Vec<String> {
        self.settings.templates.unfit(listed)
    }
}

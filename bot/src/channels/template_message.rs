//! Template messages of the official account: they need no accept, only that the person follows it.

use std::sync::Arc;

use chrono::TimeDelta;
use qingfeng_core::clock::{Clock, shanghai};
use serde_json::{Value, json};

use super::{
    OfficialAccountSettings, PlatformSettings,
    access_token::AccessTokens,
    exchange,
    subscribe_message::Card,
    templates::{CardTemplates, ListedTemplate, TemplateUse},
    trouble::{TemplateTrouble, taken},
};
use crate::delivery::Outcome;

/// The platform takes a message under one name once within this span.
pub(crate) const GUARDED_FOR: TimeDelta = TimeDelta::minutes(10);

/// Cards in the chat with the official account.
pub struct TemplateMessages {
    client: reqwest::Client,
    clock: Arc<dyn Clock>,
    tokens: Arc<AccessTokens>,
    base: String,
    app_id: String,
    /// What opens from a card.
    mini_program: String,
    templates: CardTemplates,
}

impl TemplateMessages {
    /// None where the account has no templates.
    pub(super) fn new(
        client: reqwest::Client,
        clock: Arc<dyn Clock>,
        tokens: Arc<AccessTokens>,
        platforms: &PlatformSettings,
        account: &OfficialAccountSettings,
    ) -> Option<Self> {
        Some(Self {
            client,
            clock,
            tokens,
            base: platforms.wechat_api_base.clone(),
            app_id: account.app_id.clone(),
            mini_program: platforms.app_id.clone(),
            templates: account.templates.clone()?,
        })
    }

    /// By which the platform knows the account.
    #[must_use]
    pub fn app_id(&self) -> &str {
        &self.app_id
    }

    /// The platform's name of a template.
    pub(crate) fn template_id(&self, template: TemplateUse) -> &str {
        self.templates.of(template).id()
    }

    /// The request for a card. The platform recognizes it by `once` when it comes again.
    #[must_use]
    pub fn request(&self, open_id: &str, card: &Card, once: &str) -> String {
        let keys = self.templates.of(card.template);
        let now = self.clock.now().with_timezone(&shanghai()).naive_local();
        json!({
            "touser": open_id,
            "template_id": keys.id(),
            "client_msg_id": once,
            "miniprogram": {"appid": self.mini_program, "pagepath": card.page},
            "data": keys.data(card, now),
        })
        .to_string()
    }

    /// Sends a request.
    ///
    /// # Errors
    /// [`TemplateTrouble`].
    pub async fn send(&self, request: &str) -> Result<Outcome, TemplateTrouble> {
        let path = "/cgi-bin/message/template/send";
        let post = |token: &str| {
            self.client
                .post(format!("{}{path}", self.base))
                .query(&[("access_token", token)])
                .header("Content-Type", "application/json")
                .body(request.to_owned())
        };
        match self.tokens.call(path, post).await {
            Ok(answer) => taken(&answer, self.clock.now()),
            Err(outcome) => Ok(outcome),
        }
    }

    /// The templates that the account has at the platform now.
    ///
    /// # Errors
    /// An outcome that is not [`Outcome::Taken`].
    pub async fn listed(&self) -> Result<Vec<ListedTemplate>, Outcome> {
        let path = "/cgi-bin/template/get_all_private_template";
        let get = |token: &str| self.client.get(format!("{}{path}", self.base)).query(&[("access_token", token)]);
        let answer: Value = self.tokens.call(path, get).await?;
        exchange::succeeded(&answer, self.clock.now())?;
        Ok(ListedTemplate::all_of_official_account(&answer))
    }

    /// What of the configured templates does not fit the account's, as Chinese sentences.
    ///
    /// # Errors
    /// An outcome that is not [`Outcome::Taken`]: then nothing is known.
    pub async fn misfits(&self) -> Result<Vec<String>, Outcome> {
        Ok(self.templates.misfits(None, &self.listed().await?))
    }

    /// The templates as they are configured.
    #[must_use]
    pub fn templates(&self) -> &CardTemplates {
        &self.templates
    }
}

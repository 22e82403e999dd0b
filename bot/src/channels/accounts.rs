//! Our accounts at WeChat: to the platform, mini-program and official account have nothing in common. A token of one is
//! refused by the other, and so are its openids and what was sent to it.

use std::sync::Arc;

use qingfeng_core::{cache::Cache, clock::Clock, refusal::Fault};

use super::{
    PlatformSettings,
    access_token::{AccessTokens, Issuer},
    account::WeChatAccount,
    check_base, client,
    watch::Watch,
};

/// The mini-program and, where there is one, the official account.
pub struct WeChatAccounts {
    pub mini_program: WeChatAccount,
    pub official: Option<WeChatAccount>,
}

impl WeChatAccounts {
    /// `holder` names this program among its replicas.
    ///
    /// # Errors
    /// When the platform's address is neither https nor on this machine.
    pub fn new(
        cache: &Arc<dyn Cache>,
        clock: &Arc<dyn Clock>,
        watch: &Watch,
        holder: &str,
        settings: &PlatformSettings,
    ) -> Result<Self, Fault> {
        check_base("wechat.api_base", &settings.wechat_api_base)?;
        let client = client()?;
        let account = |app_id: &str, secret: &str| {
            let base = settings.wechat_api_base.clone();
            let issuer = Issuer::WeChat { base: base.clone(), app_id: app_id.to_owned(), secret: secret.to_owned() };
            let tokens =
                AccessTokens::new(client.clone(), Arc::clone(cache), Arc::clone(clock), watch.clone(), holder, issuer);
            WeChatAccount::new(client.clone(), Arc::clone(clock), Arc::new(tokens), &base, app_id)
        };
        Ok(Self {
            mini_program: account(&settings.app_id, &settings.app_secret),
            official: settings
                .official_account
                .as_ref()
                .map(|official| account(&official.app_id, &official.app_secret)),
        })
    }

    /// The account with this app id; what was written down before there were two was sent to the official account.
    #[must_use]
    pub fn named(&self, app_id: Option<&str>) -> Option<&WeChatAccount> {
        let mut all = std::iter::once(&self.mini_program).chain(&self.official);
        match app_id {
            Some(app_id) => all.find(|account| account.app_id() == app_id),
            None => self.official.as_ref().or(Some(&self.mini_program)),
        }
    }
}

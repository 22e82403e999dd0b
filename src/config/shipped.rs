//! What may not go into production as it is shipped.

use super::{Config, OfficialAccount};

impl Config {
    /// Secrets that everybody can read in this program are for the simulator only; so are pushes that are not encrypted,
    /// because the signature of a plain one says nothing about its body.
    ///
    /// # Errors
    /// When a platform that is not on this machine is used with one of them; the message names it.
    pub fn check_platform_secrets(&self) -> anyhow::Result<()> {
        let (ours, simulated) = (Self::default(), OfficialAccount::simulated());
        let (wechat, wecom) = (&self.wechat, &self.wecom);
        let mut shipped = vec![
            ("wechat.app_secret", &wechat.api_base, wechat.app_secret == ours.wechat.app_secret),
            ("wechat.callback_token", &wechat.api_base, wechat.callback_token == ours.wechat.callback_token),
        ];
        let mut keys = vec![("wechat.callback_keys", &wechat.callback_keys)];
        if let Some(account) = &self.official_account {
            for (name, value) in [("app_id", &account.app_id), ("app_secret", &account.app_secret)] {
                anyhow::ensure!(!value.is_empty(), "official_account.{name} is missing");
            }
            anyhow::ensure!(
                account.app_id != wechat.app_id,
                "official_account.app_id is the mini-program's: the platform gives each account its own"
            );
            shipped.extend([
                ("official_account.app_secret", &wechat.api_base, account.app_secret == simulated.app_secret),
                (
                    "official_account.callback_token",
                    &wechat.api_base,
                    account.callback_token == simulated.callback_token,
                ),
            ]);
            keys.push(("official_account.callback_keys", &account.callback_keys));
        }
        // A township without WeCom has no application there.
        if !wecom.corp_id.is_empty() {
            shipped.extend([
                ("wecom.app_secret", &wecom.api_base, wecom.app_secret == ours.wecom.app_secret),
                ("wecom.callback_token", &wecom.api_base, wecom.callback_token == ours.wecom.callback_token),
                ("wecom.callback_keys", &wecom.api_base, wecom.callback_keys == ours.wecom.callback_keys),
            ]);
        }
        for (name, address, is_shipped) in shipped {
            anyhow::ensure!(
                !is_shipped || is_here(address),
                "{name} is the simulator's, which everybody knows: set your own for {address}"
            );
        }
        for (name, keys) in keys {
            anyhow::ensure!(
                !keys.is_empty() || is_here(&wechat.api_base),
                "{name} is missing: choose the encrypted mode (安全模式) in the platform's console and set its EncodingAESKey"
            );
        }
        Ok(())
    }
}

/// Whether an address is on this machine.
fn is_here(address: &str) -> bool {
    url::Url::parse(address).is_ok_and(|url| matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]")))
}

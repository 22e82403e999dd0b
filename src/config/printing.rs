//! The configuration as it may be shown.

use super::Config;

impl Config {
    /// The configuration as TOML, passwords and secrets masked.
    ///
    /// # Errors
    /// Never for values that were loaded.
    pub fn printable(&self) -> anyhow::Result<String> {
        let mut shown = self.clone();
        shown.database.url = mask_password(&shown.database.url);
        shown.files.url = mask_password(&shown.files.url);
        shown.cache.redis_url = shown.cache.redis_url.as_deref().map(mask_password);
        let (wechat, wecom) = (&mut shown.wechat, &mut shown.wecom);
        let keys = wechat.callback_keys.iter_mut().chain(&mut wecom.callback_keys).chain(&mut wecom.robot_keys);
        let secrets = [
            &mut wechat.app_secret,
            &mut wechat.callback_token,
            &mut wecom.app_secret,
            &mut wecom.callback_token,
            &mut wecom.robot_token,
        ];
        for secret in secrets.into_iter().chain(keys) {
            *secret = "***".into();
        }
        if let Some(account) = &mut shown.official_account {
            let secrets = [&mut account.app_secret, &mut account.callback_token];
            for secret in secrets.into_iter().chain(&mut account.callback_keys) {
                *secret = "***".into();
            }
        }
        Ok(toml::to_string(&shown)?)
    }
}

fn mask_password(address: &str) -> String {
    let Ok(mut url) = url::Url::parse(address) else { return address.to_owned() };
    if url.password().is_none() && url.query().is_none() {
        return address.to_owned();
    }
    if url.password().is_some() {
        let _ = url.set_password(Some("***"));
    }
    if url.query().is_some() {
        url.set_query(Some("***"));
    }
    url.to_string()
}

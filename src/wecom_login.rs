//! The login of staff through WeCom: the platform puts a code into the address, which tells once who it is.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use qingfeng_bot::channels::{MemberFault, Watch, WeComApp};
use qingfeng_core::{
    cache::Cache,
    randomness::Randomness,
    refusal::{Fault, Refusal, RefusalKind},
};
use sha2::{Digest, Sha256};

use crate::config::WeCom;

/// How long somebody may take from the button to the answer.
const PATIENCE: Duration = Duration::from_secs(5 * 60);

/// Where the browser goes, and what it has to show when it comes back.
#[derive(Debug)]
pub struct Departure {
    pub address: String,
    /// Known to this browser only: a code that was put under somebody's nose is good for nothing.
    pub proof: String,
}

/// Client of the code exchange.
pub struct WeComLogin {
    app: Option<WeComApp>,
    settings: WeCom,
    /// Where the platform sends the browser back to.
    home: String,
}

impl WeComLogin {
    #[must_use]
    pub fn new(app: Option<WeComApp>, settings: &WeCom, public_url: &str) -> Self {
        Self { app, settings: settings.clone(), home: format!("{public_url}/app/") }
    }

    /// Sends the browser on its way.
    ///
    /// # Errors
    /// `wecom_not_used` where the installation has no corporation; when the cache does not answer.
    pub async fn begin(&self, cache: &dyn Cache, randomness: &dyn Randomness) -> Result<Departure, Fault> {
        if self.app.is_none() {
            return Err(not_used());
        }
        let state = hex::encode(randomness.bytes::<16>());
        let proof = URL_SAFE_NO_PAD.encode(randomness.bytes::<24>());
        cache.set(&key(&state), &digest(&proof), PATIENCE).await?;
        let mut address = url::Url::parse(&format!("{}/connect/oauth2/authorize", self.settings.oauth_base))
            .map_err(Fault::unavailable)?;
        address
            .query_pairs_mut()
            .append_pair("appid", &self.settings.corp_id)
            .append_pair("redirect_uri", &self.home)
            .append_pair("response_type", "code")
            .append_pair("scope", "snsapi_base")
            .append_pair("state", &state)
            .append_pair("agentid", &self.settings.agent_id.to_string());
        address.set_fragment(Some("wechat_redirect"));
        Ok(Departure { address: address.into(), proof })
    }

    /// Who comes back with this code. A state is good once, for the browser that was sent away with it.
    ///
    /// # Errors
    /// `login_expired`, `code_invalid`, `not_staff`; when the platform does not answer.
    pub async fn arrive(&self, cache: &dyn Cache, code: &str, state: &str, proof: &str) -> Result<String, Fault> {
        let Some(app) = &self.app else { return Err(not_used()) };
        // Removed only if it is this browser's: another one cannot spoil it.
        if state.len() > 128 || !cache.remove_if(&key(state), &digest(proof)).await? {
            return Err(refusal(RefusalKind::Unauthenticated, "login_expired", "登录超时了，请重新点登录。"));
        }
        match app.member(code).await {
            Ok(user_id) => Ok(user_id),
            Err(MemberFault::Outsider) => {
                Err(refusal(RefusalKind::Forbidden, "not_staff", "您不在本单位的企业微信里，请用账号密码登录。"))
            }
            Err(MemberFault::BadCode) => {
                Err(refusal(RefusalKind::Unauthenticated, "code_invalid", "登录码已失效，请重新点登录。"))
            }
            Err(MemberFault::Unavailable(reason)) => Err(Fault::unavailable(reason)),
        }
    }
}

fn key(state: &str) -> String {
    format!("wecom_login:{state}")
}

fn digest(proof: &str) -> Vec<u8> {
    Sha256::digest(proof.as_bytes()).to_vec()
}

fn not_used() -> Fault {
    refusal(RefusalKind::NotFound, "wecom_not_used", "本单位没有使用企业微信，请用账号密码登录。")
}

fn refusal(kind: RefusalKind, code: &'static str, sentence: &str) -> Fault {
    Refusal::new(kind, code, sentence).into()
}

/// The application at WeCom that the configuration names.
///
/// # Errors
/// When its address is neither https nor on this machine.
pub fn application(
    settings: &qingfeng_bot::PlatformSettings,
    cache: Arc<dyn Cache>,
    clock: Arc<dyn qingfeng_core::clock::Clock>,
    watch: &Watch,
    randomness: &dyn Randomness,
) -> Result<Option<WeComApp>, Fault> {
    let holder = format!("api-{}", hex::encode(randomness.bytes::<8>()));
    WeComApp::connect(cache, clock, watch, &holder, settings)
}

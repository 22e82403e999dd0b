//! The mini-program login: the code that `wx.login` gave is exchanged for the person's identity (`jscode2session`).

use std::time::Duration;

use qingfeng_bot::channels::Watch;
use qingfeng_core::refusal::{Fault, Refusal, RefusalKind};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config::WeChat;

/// The platform answers within a second; a villager does not wait longer than this.
const PATIENCE: Duration = Duration::from_secs(5);

/// Client of the code exchange.
pub struct WeChatLogin {
    client: reqwest::Client,
    settings: WeChat,
    watch: Watch,
}

/// Who a login code stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MiniProgramIdentity {
    pub open_id: String,
    /// The same at all accounts of one owner; only where they are bound to one another at the Open Platform.
    pub union_id: Option<String>,
}

/// The platform's code may come as a text.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    errcode: Value,
    openid: Option<String>,
    unionid: Option<String>,
}

impl Answer {
    /// None for what is no number.
    fn code(&self) -> Option<i64> {
        match &self.errcode {
            Value::Null => Some(0),
            Value::String(text) => text.trim().parse().ok(),
            other => other.as_i64(),
        }
    }
}

impl WeChatLogin {
    /// # Errors
    /// When the platform's address is neither https nor on this machine.
    pub fn new(settings: &WeChat, watch: &Watch) -> anyhow::Result<Self> {
        let address = url::Url::parse(&settings.api_base)?;
        let local = matches!(address.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
        anyhow::ensure!(address.scheme() == "https" || local, "wechat.api_base must be https");
        let client = reqwest::Client::builder()
            .timeout(PATIENCE)
            // A redirect would carry the secret of the address to another host, a proxy would read it.
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .build()?;
        Ok(Self { client, settings: settings.clone(), watch: watch.clone() })
    }

    /// Exchanges the code for the person's identity at this mini-program. The session key is not kept: nothing here
    /// decrypts platform data.
    ///
    /// # Errors
    /// A refusal for codes that are unknown, used or expired and for accounts that the platform blocks.
    pub async fn identity(&self, code: &str) -> Result<MiniProgramIdentity, Fault> {
        // The address carries the secret: it must not get into any log.
        let unavailable = |error: reqwest::Error| Fault::unavailable(error.without_url());
        let response = self
            .client
            .get(format!("{}/sns/jscode2session", self.settings.api_base))
            .query(&[
                ("appid", self.settings.app_id.as_str()),
                ("secret", self.settings.app_secret.as_str()),
                ("js_code", code),
                ("grant_type", "authorization_code"),
            ])
            .send()
            .await
            .map_err(unavailable)?;
        let body = response.bytes().await.map_err(unavailable)?;
        let answer: Answer =
            serde_json::from_slice(&body).map_err(|_| Fault::unavailable("the platform's answer is no JSON"))?;
        let code = answer.code().ok_or_else(|| Fault::unavailable("the platform's code is no number"))?;
        if code != 0 || answer.openid.is_some() {
            self.watch.heard_login(&self.settings.app_id, code).await;
        }
        match (code, answer.openid) {
            (0, Some(open_id)) => {
                Ok(MiniProgramIdentity { open_id, union_id: answer.unionid.filter(|union_id| !union_id.is_empty()) })
            }
            (40029 | 40163, _) => {
                Err(refusal(RefusalKind::Unauthenticated, "code_invalid", "登录码已失效，请重新打开小程序。"))
            }
            (40226, _) => Err(refusal(RefusalKind::Forbidden, "account_blocked", "微信暂时不允许这个账号登录。")),
            (45011, _) => Err(refusal(RefusalKind::TooManyRequests, "too_many_requests", "登录太频繁，请稍后再试。")),
            (code, _) => Err(Fault::unavailable(format!("the platform refuses the code exchange with {code}"))),
        }
    }
}

fn refusal(kind: RefusalKind, code: &'static str, sentence: &str) -> Fault {
    Refusal::new(kind, code, sentence).into()
}

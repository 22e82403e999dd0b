//! Configuration: one TOML file, then environment variables (`QINGFENG_HTTP__BIND=…`), over embedded defaults that need
//! nothing.

mod ballots;
mod platforms;
mod printing;
mod running;
mod serving;
mod shipped;
mod subscribe_templates;

use std::path::Path;

use figment::{
    Figment,
    providers::{Env, Format, Serialized, Toml},
};
use serde::{Deserialize, Serialize};

pub use self::{
    ballots::Ballots,
    platforms::{DingTalk, Feishu, OfficialAccount, WeChat, WeCom},
    running::{Bot, ClockShift, Log, LogFormat, Sandbox},
    serving::{Board, Cache, Database, Files, Http, Secrets},
};

/// Everything an operator can set. `qingfeng --print-config` shows it with secrets masked.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    pub http: Http,
    pub database: Database,
    pub cache: Cache,
    pub files: Files,
    pub board: Board,
    pub ballots: Ballots,
    pub secrets: Secrets,
    pub wechat: WeChat,
    /// None = there is no official account; the mini-program's customer-service chat is then the only one with residents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub official_account: Option<OfficialAccount>,
    pub wecom: WeCom,
    pub dingtalk: DingTalk,
    pub feishu: Feishu,
    pub bot: Bot,
    pub clock: ClockShift,
    pub sandbox: Sandbox,
    pub log: Log,
}

impl Config {
    /// Reads the file, if there is one, and the environment.
    ///
    /// # Errors
    /// When a key is unknown or a value has the wrong type; the message names it and where it stands.
    pub fn load(file: Option<&Path>) -> anyhow::Result<Self> {
        let mut figment = Figment::from(Serialized::defaults(Self::default()));
        if let Some(file) = file {
            anyhow::ensure!(file.exists(), "the configuration file {} does not exist", file.display());
            figment = figment.merge(Toml::file(file));
        }
        // Every key stands in a section; other names with our prefix (the tests' servers, the co-signer's) are not ours.
        let environment = Env::prefixed("QINGFENG_")
            .filter(|key| key.as_str().contains("__") && !key.starts_with("COSIGNER_"))
            .split("__");
        Ok(figment.merge(environment).extract()?)
    }
}

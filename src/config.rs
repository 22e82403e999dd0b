//! Configuration: one TOML file, then environment variables (`QINGFENG_HTTP__BIND=…`), over embedded defaults that need
//! nothing.

use std::path::{Path, PathBuf};

use figment::{
    Figment,
    providers::{Env, Format, Serialized, Toml},
};
use serde::{Deserialize, Serialize};

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
    pub wecom: WeCom,
    pub dingtalk: DingTalk,
    pub feishu: Feishu,
    pub bot: Bot,
    pub clock: ClockShift,
    pub sandbox: Sandbox,
    pub log: Log,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    pub bind: String,
    /// Address under which people reach the server, for links in messages.
    pub public_url: String,
    /// Worker threads; 0 = one per core.
    pub workers: usize,
    /// Seconds that running requests get to finish when the server stops.
    pub shutdown_seconds: u64,
    /// Shows the demo's accounts on the front page. Set by `run --demo`.
    pub demo: bool,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            bind: "127.0.0.1:8080".into(),
            public_url: "http://127.0.0.1:8080".into(),
            workers: 0,
            shutdown_seconds: 20,
            demo: false,
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Database {
    /// `sqlite://PATH` or `postgres://…`.
    pub url: String,
    pub connections: u32,
}

impl Default for Database {
    fn default() -> Self {
        Self { url: "sqlite://data/qingfeng.sqlite".into(), connections: 16 }
    }
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cache {
    /// `redis://…`; none = in the process.
    pub redis_url: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Files {
    /// `file://FOLDER` or `s3://BUCKET?endpoint=…`.
    pub url: String,
}

impl Default for Files {
    fn default() -> Self {
        Self { url: "file://data/files".into() }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Board {
    /// Seconds for which a public page stands before it is worked out anew: the public sees news within seconds, and a
    /// thousand readers cost one query.
    pub fresh_seconds: u64,
}

impl Default for Board {
    fn default() -> Self {
        Self { fresh_seconds: 5 }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ballots {
    /// Where the co-signer answers. None = the program runs one of its own: township and co-signer are then one operator, and level 1
    /// is the most there is.
    pub cosigner_url: Option<String>,
    /// Address under which phones reach the co-signer, where it is another one.
    pub cosigner_public_url: Option<String>,
    pub witness_url: Option<String>,
    /// Log keys `name+id+key` of co-signer and witness, pinned. Required where the co-signer is somebody else's; in
    /// demonstrations they may be taken from its own site.
    pub cosigner_key: Option<String>,
    pub witness_key: Option<String>,
    /// Where the program's own co-signer and witness listen, and the folder of their data.
    pub own_cosigner_bind: String,
    pub own_witness_bind: String,
    pub own_cosigner_folder: PathBuf,
    /// Name of the platform's own log key, for the first start.
    pub key_name: String,
    /// Where the ballot box listens.
    pub box_bind: String,
    /// Whether the API process serves the box, too. Off where `qingfeng box` runs as its own program.
    pub box_embedded: bool,
    /// Address under which phones reach the box.
    pub box_public_url: String,
    /// Longest time that two envelopes or more wait until they go into the public log.
    pub batch_minutes: u32,
    /// How often, in seconds, boxes are looked after: batches, days, what the co-signer did.
    pub look_seconds: u64,
}

impl Default for Ballots {
    fn default() -> Self {
        Self {
            cosigner_url: None,
            cosigner_public_url: None,
            witness_url: None,
            cosigner_key: None,
            witness_key: None,
            own_cosigner_bind: "127.0.0.1:8070".into(),
            own_witness_bind: "127.0.0.1:8071".into(),
            own_cosigner_folder: "data/own-cosigner".into(),
            key_name: "platform.qinghe".into(),
            box_bind: "127.0.0.1:8085".into(),
            box_embedded: true,
            box_public_url: "http://127.0.0.1:8085".into(),
            batch_minutes: 60,
            look_seconds: 60,
        }
    }
}

impl Ballots {
    /// Where phones reach the co-signer.
    #[must_use]
    pub fn cosigner_address(&self) -> String {
        let given = self.cosigner_public_url.as_ref().or(self.cosigner_url.as_ref());
        given.cloned().unwrap_or_else(|| format!("http://{}", self.own_cosigner_bind))
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Secrets {
    /// File with the installation's keys. Made at the first start when it is missing; keep a copy apart from the data.
    pub file: PathBuf,
}

impl Default for Secrets {
    fn default() -> Self {
        Self { file: "data/secrets.toml".into() }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WeChat {
    pub api_base: String,
    pub app_id: String,
    pub app_secret: String,
    /// Token of the message push; set in the platform's console and here.
    pub callback_token: String,
    /// `EncodingAESKey` of the message push, and while it is being changed the former one after it; none = pushes are plain.
    pub callback_keys: Vec<String>,
    /// Template ids of subscribe messages.
    pub reminder_template: String,
    pub progress_template: String,
    /// The templates are long-term ones (offline public services): one accept holds until it is withdrawn.
    pub long_term_templates: bool,
}

impl Default for WeChat {
    fn default() -> Self {
        Self {
            api_base: "http://127.0.0.1:8090/wechat".into(),
            app_id: "wxsandbox0000000001".into(),
            app_secret: "sandbox-app-secret".into(),
            callback_token: "sandbox-callback-token".into(),
            callback_keys: Vec::new(),
            reminder_template: "TEMPLATE-REMINDER".into(),
            progress_template: "TEMPLATE-PROGRESS".into(),
            long_term_templates: false,
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WeCom {
    pub api_base: String,
    /// The corporation; empty = staff are not reached through WeCom.
    pub corp_id: String,
    /// The application's number and secret.
    pub agent_id: i64,
    pub app_secret: String,
    /// Where staff's browsers go to sign in.
    pub oauth_base: String,
    /// Token and `EncodingAESKey` of the application's message receiving; the former key may stand after the present one.
    pub callback_token: String,
    pub callback_keys: Vec<String>,
    /// The same of the smart robot (智能机器人); no keys = there is none.
    pub robot_token: String,
    pub robot_keys: Vec<String>,
}

impl Default for WeCom {
    fn default() -> Self {
        Self {
            api_base: "http://127.0.0.1:8090/wecom".into(),
            corp_id: "wwsandbox0000000001".into(),
            agent_id: 1_000_002,
            app_secret: "sandbox-wecom-secret".into(),
            oauth_base: "https://open.weixin.qq.com".into(),
            callback_token: "sandbox-wecom-token".into(),
            callback_keys: vec!["SandboxSandboxSandboxSandboxSandboxSandboxS".into()],
            robot_token: String::new(),
            robot_keys: Vec::new(),
        }
    }
}

/// DingTalk, for its group robots.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DingTalk {
    pub api_base: String,
}

impl Default for DingTalk {
    fn default() -> Self {
        Self { api_base: "http://127.0.0.1:8090/dingtalk".into() }
    }
}

/// Feishu, for its group robots.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Feishu {
    pub api_base: String,
}

impl Default for Feishu {
    fn default() -> Self {
        Self { api_base: "http://127.0.0.1:8090/feishu".into() }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bot {
    /// Whether the API process runs the bot, too. Off where `qingfeng-bot` runs as its own program.
    pub embedded: bool,
    /// Whether what staff wrote for a group waits until a second person has read it.
    pub second_person: bool,
    /// A message template of WeChat that failed so many different people is used no more until an operator lets it.
    pub template_failures: u32,
}

impl Default for Bot {
    fn default() -> Self {
        Self { embedded: true, second_person: true, template_failures: 5 }
    }
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClockShift {
    /// Moves the product's clock by so many seconds: for demonstrations at another hour. Never in production.
    pub shift_seconds: i64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sandbox {
    /// Whether the API process runs the platform simulator, too. Never in production.
    pub embedded: bool,
    pub bind: String,
}

impl Default for Sandbox {
    fn default() -> Self {
        Self { embedded: false, bind: "127.0.0.1:8090".into() }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// `text` or `json`.
    pub format: LogFormat,
    /// As in `info,qingfeng=debug`.
    pub level: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    Text,
    Json,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Text, level: "info".into() }
    }
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

    /// Secrets that everybody can read in this program are for the simulator only.
    ///
    /// # Errors
    /// When a platform that is not on this machine is used with one of them; the message names it.
    pub fn check_platform_secrets(&self) -> anyhow::Result<()> {
        let ours = Self::default();
        let shipped = [
            ("wechat.app_secret", &self.wechat.api_base, self.wechat.app_secret == ours.wechat.app_secret),
            ("wechat.callback_token", &self.wechat.api_base, self.wechat.callback_token == ours.wechat.callback_token),
            ("wecom.app_secret", &self.wecom.api_base, self.wecom.app_secret == ours.wecom.app_secret),
            ("wecom.callback_token", &self.wecom.api_base, self.wecom.callback_token == ours.wecom.callback_token),
            ("wecom.callback_keys", &self.wecom.api_base, self.wecom.callback_keys == ours.wecom.callback_keys),
        ];
        let is_here = |address: &str| {
            url::Url::parse(address)
                .is_ok_and(|url| matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]")))
        };
        for (name, address, is_shipped) in shipped {
            // A township without WeCom has no application there.
            let is_used = !name.starts_with("wecom") || !self.wecom.corp_id.is_empty();
            anyhow::ensure!(
                !is_used || !is_shipped || is_here(address),
                "{name} is the simulator's, which everybody knows: set your own for {address}"
            );
        }
        Ok(())
    }

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

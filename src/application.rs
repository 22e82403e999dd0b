//! The running product: what every request handler works with.

use std::{sync::Arc, time::Duration};

use qingfeng_bot::{
    callbacks::{PushAgreement, PushCipher},
    channels::{Watch, WeChatAccounts},
};
use qingfeng_core::{
    cache::{self, Cache},
    calendar::CalendarBook,
    evidence::Darkroom,
    files,
    people::PaperCodes,
    sealing::Sealer,
    storage::{DatabaseSettings, Store, Surroundings},
};

use crate::{
    Config,
    http::{access_token::AccessTokens, board::BoardPages},
    sealed_surveys::Quorum,
    secrets::Secrets,
    wechat_login::WeChatLogin,
    wecom_login::{self, WeComLogin},
};

/// Shared by all requests.
pub struct Application {
    pub config: Config,
    pub store: Store,
    pub cache: Arc<dyn Cache>,
    pub sealer: Sealer,
    pub paper_codes: PaperCodes,
    pub access_tokens: AccessTokens,
    pub wechat_login: WeChatLogin,
    pub wecom_login: WeComLogin,
    pub calendar: CalendarBook,
    pub darkroom: Arc<Darkroom>,
    pub board: BoardPages,
    pub quorum: Quorum,
    pub wechat_accounts: Arc<WeChatAccounts>,
    pub wechat_pushes: PushAgreement,
    /// None = there is no official account.
    pub official_pushes: Option<PushAgreement>,
    pub wecom_pushes: PushAgreement,
    pub robot_pushes: PushAgreement,
}

impl Application {
    /// Starts in the real world.
    ///
    /// # Errors
    /// As [`Application::start`].
    pub async fn start_real(config: Config) -> anyhow::Result<Self> {
        let surroundings = crate::cli::real_surroundings(&config);
        Self::start(config, surroundings).await
    }

    /// Connects everything the configuration names and brings the schema up to date.
    ///
    /// # Errors
    /// When something the configuration names does not answer.
    pub async fn start(config: Config, surroundings: Surroundings) -> anyhow::Result<Self> {
        config.check_platform_secrets()?;
        make_folder_of(&config.database.url)?;
        let secrets =
            Secrets::load_or_create(&config.secrets.file, &config.ballots.key_name, &*surroundings.randomness)?;
        let settings = DatabaseSettings { url: config.database.url.clone(), connections: config.database.connections };
        let store = Store::connect(&settings, surroundings.clone()).await?;
        store.migrate().await?;
        let paper_codes = secrets.paper_codes()?;
        paper_codes.bring_up_to_date(&store).await?;
        let cache = cache::open(config.cache.redis_url.as_deref(), surroundings.clock.clone()).await?;
        let (clock, randomness) = (surroundings.clock.clone(), &*surroundings.randomness);
        let holder = format!("api-{}", hex::encode(randomness.bytes::<8>()));
        let watch = Watch::on(&store);
        let wechat_login = WeChatLogin::new(&config.wechat, &watch)?;
        let wechat_accounts = WeChatAccounts::new(&cache, &surroundings.clock, &watch, &holder, &config.platforms())?;
        let official_pushes = config
            .official_account
            .as_ref()
            .map(|own| agreement("official_account", &own.callback_token, &own.callback_keys, &own.app_id))
            .transpose()?;
        let wecom = wecom_login::application(&config.platforms(), Arc::clone(&cache), clock, &watch, randomness)?;
        let wecom_login = WeComLogin::new(wecom, &config.wecom, &config.http.public_url);
        Ok(Self {
            calendar: CalendarBook::new(store.clone()),
            darkroom: Arc::new(Darkroom::new(files::open(&config.files.url)?)),
            wechat_pushes: agreement(
                "wechat",
                &config.wechat.callback_token,
                &config.wechat.callback_keys,
                &config.wechat.app_id,
            )?,
            wechat_accounts: Arc::new(wechat_accounts),
            official_pushes,
            wecom_pushes: agreement(
                "wecom",
                &config.wecom.callback_token,
                &config.wecom.callback_keys,
                &config.wecom.corp_id,
            )?,
            // What the smart robot is told is for nobody by name.
            robot_pushes: agreement("wecom", &config.wecom.robot_token, &config.wecom.robot_keys, "")?,
            board: BoardPages::fresh_for(Duration::from_secs(config.board.fresh_seconds)),
            quorum: Quorum::new(&config, secrets.log_signer()?)?,
            store,
            cache,
            sealer: secrets.sealer()?,
            paper_codes,
            access_tokens: AccessTokens::new(&secrets.signing_keys()?, surroundings.clock),
            wechat_login,
            wecom_login,
            config,
        })
    }

    /// Where residents answer anonymous surveys, for links in messages.
    #[must_use]
    pub fn surveys_link(&self) -> String {
        format!("{}/app/#/pages/sealed-surveys/list", self.config.http.public_url)
    }
}

fn agreement(section: &str, token: &str, keys: &[String], receiver: &str) -> anyhow::Result<PushAgreement> {
    anyhow::ensure!(
        keys.is_empty() && receiver.is_empty()
            || (3..=32).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic()),
        "{section}: the token of its pushes has 3 to 32 letters and digits: with none, everybody could sign"
    );
    let cipher = |key: &String| {
        PushCipher::new(key, receiver).ok_or_else(|| anyhow::anyhow!("{section}: a key has 43 letters and digits"))
    };
    Ok(PushAgreement { token: token.to_owned(), ciphers: keys.iter().map(cipher).collect::<anyhow::Result<_>>()? })
}

fn make_folder_of(database_url: &str) -> anyhow::Result<()> {
    if let Some(path) = database_url.strip_prefix("sqlite://")
        && let Some(folder) = std::path::Path::new(path).parent()
    {
        std::fs::create_dir_all(folder)?;
    }
    Ok(())
}

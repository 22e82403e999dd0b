//! The menus under the chats with the official account and with the application at WeCom.

use std::sync::Arc;

use clap::Args;
use qingfeng_bot::{
    channels::{Channels, Watch},
    conversations,
};
use qingfeng_core::cache::{Cache, MemoryCache};

use crate::{Config, demo};

#[derive(Debug, Args)]
pub(super) struct PutMenu {
    /// Under the chats of the simulator that `run --demo` started.
    #[arg(long)]
    demo: bool,
}

impl PutMenu {
    pub(super) async fn execute(self, mut config: Config) -> anyhow::Result<()> {
        if self.demo && config.official_account.is_none() {
            demo::use_simulated_account(&mut config);
        }
        put_menu(&config).await
    }
}

/// Puts the menus under the chats that the configuration names; what stood there before is replaced.
///
/// # Errors
/// When there is neither account nor application, or a platform does not take its menu.
pub async fn put_menu(config: &Config) -> anyhow::Result<()> {
    let clock = super::real_surroundings(config).clock;
    let cache: Arc<dyn Cache> = Arc::new(MemoryCache::new(Arc::clone(&clock)));
    let channels = Channels::new(&cache, &clock, &Watch::nobody(), "menu", &config.platforms())?;
    anyhow::ensure!(
        channels.accounts.official.is_some() || channels.wecom_app.is_some(),
        "there is neither an official_account nor an application at WeCom: nothing has a menu"
    );
    if let Some(account) = &channels.accounts.official {
        let put = account.create_menu(&conversations::menu()).await;
        put.map_err(|outcome| anyhow::anyhow!("WeChat did not take the official account's menu: {outcome:?}"))?;
    }
    if let Some(app) = &channels.wecom_app {
        let put = app.create_menu(&conversations::staff_menu()).await;
        put.map_err(|outcome| anyhow::anyhow!("WeCom did not take the application's menu: {outcome:?}"))?;
    }
    Ok(())
}

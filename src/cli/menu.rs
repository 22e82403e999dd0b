//! The menu under the chat with the official account.

use std::sync::Arc;

use qingfeng_bot::{
    channels::{Channels, Watch},
    conversations,
};
use qingfeng_core::cache::{Cache, MemoryCache};

use crate::Config;

/// Puts the menu under the chat; what stood there before is replaced.
///
/// # Errors
/// When the platform does not take it.
pub async fn put_menu(config: &Config) -> anyhow::Result<()> {
    let clock = super::real_surroundings(config).clock;
    let cache: Arc<dyn Cache> = Arc::new(MemoryCache::new(Arc::clone(&clock)));
    let channels = Channels::new(&cache, &clock, &Watch::nobody(), "menu", &config.platforms())?;
    let put = channels.account.create_menu(&conversations::menu()).await;
    put.map_err(|outcome| anyhow::anyhow!("the platform did not take the menu: {outcome:?}"))
}

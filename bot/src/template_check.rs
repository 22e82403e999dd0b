//! Whether the configured templates of subscribe messages are those of the account: asked at the start and once a day, because
//! somebody may change them in the platform's console, and then every card would be refused.

use std::time::Duration;

use qingfeng_core::{cache::Cache, refusal::Fault};
use tokio_util::sync::CancellationToken;

use crate::{Bot, delivery::Outcome};

const EVERY: Duration = Duration::from_secs(24 * 60 * 60);
/// A platform that could not be asked is asked again after this.
const AGAIN_AFTER: Duration = Duration::from_secs(10 * 60);
/// A bot that asks no more says nothing about today.
const KEEP_FOR: Duration = Duration::from_secs(2 * 24 * 60 * 60);

/// Where the last answer stands for whoever watches the installation.
fn last_answer(app_id: &str) -> String {
    format!("wechat_templates:{app_id}")
}

/// What of the mini-program's configured templates did not fit when the platform was asked last: a Chinese sentence for each thing.
///
/// # Errors
/// When the cache does not answer.
pub async fn template_misfits(cache: &dyn Cache, app_id: &str) -> Result<Vec<String>, Fault> {
    let kept = cache.get(&last_answer(app_id)).await?;
    Ok(kept.and_then(|kept| serde_json::from_slice(&kept).ok()).unwrap_or_default())
}

/// Asks until told to stop. Nothing else waits for it, and nothing stops when the answer is bad or does not come.
pub(crate) async fn keep_asking(bot: &Bot, stop: &CancellationToken) {
    while !stop.is_cancelled() {
        let asked = tokio::select! {
            () = stop.cancelled() => return,
            asked = bot.check_templates() => asked,
        };
        let pause = match asked {
            Ok(_) => EVERY,
            Err(outcome) => {
                tracing::warn!(?outcome, "WeChat cannot be asked for its templates; it is asked again");
                AGAIN_AFTER
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

impl Bot {
    /// Asks the platform whether the configured templates fit, tells the log, and leaves the answer for `/readyz`.
    ///
    /// # Errors
    /// An outcome that is not [`Outcome::Taken`]: the platform could not be asked, and what it said before stands.
    pub async fn check_templates(&self) -> Result<Vec<String>, Outcome> {
        let misfits = self.channels.subscribe_messages.misfits().await?;
        for misfit in &misfits {
            tracing::error!(%misfit, "a template of subscribe messages does not fit: cards by it are refused");
        }
        if misfits.is_empty() {
            tracing::info!("the templates of subscribe messages fit");
        }
        let told = serde_json::to_vec(&misfits).unwrap_or_default();
        let key = last_answer(&self.settings.platforms.app_id);
        if let Err(fault) = self.cache.set(&key, &told, KEEP_FOR).await {
            tracing::warn!(%fault, "what the platform said of the templates could not be kept");
        }
        Ok(misfits)
    }
}

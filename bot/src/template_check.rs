//! Whether the configured templates of cards are those of the accounts: asked at the start and once a day, because
//! somebody may change them in the platform's console, and then every card would be refused. So no card of the mini-program goes by a
//! template whose keys do not fit, until they do.

use std::{collections::HashSet, time::Duration};

use qingfeng_core::{cache::Cache, outbox::template_stops, refusal::Fault};
use tokio_util::sync::CancellationToken;

use crate::{Bot, delivery::Outcome};

const EVERY: Duration = Duration::from_secs(24 * 60 * 60);
/// A platform that could not be asked is asked again after this, and one whose templates did not fit: cards wait for them.
const AGAIN_AFTER: Duration = Duration::from_secs(10 * 60);
/// A bot that asks no more says nothing about today.
const KEEP_FOR: Duration = Duration::from_secs(2 * 24 * 60 * 60);

/// Where the last answer stands for whoever watches the installation.
fn last_answer(app_id: &str) -> String {
    format!("wechat_templates:{app_id}")
}

/// Where the templates stand by which no card goes.
fn unfit_templates(app_id: &str) -> String {
    format!("wechat_unfit_templates:{app_id}")
}

/// What of the configured templates did not fit when the platform was asked last: a Chinese sentence for each thing.
///
/// `app_ids` are those of our accounts.
///
/// # Errors
/// When the cache does not answer.
pub async fn template_misfits<'a>(
    cache: &dyn Cache,
    app_ids: impl IntoIterator<Item = &'a str>,
) -> Result<Vec<String>, Fault> {
    let mut misfits = Vec::new();
    for app_id in app_ids {
        let kept = cache.get(&last_answer(app_id)).await?;
        misfits.extend(kept.and_then(|kept| serde_json::from_slice::<Vec<String>>(&kept).ok()).unwrap_or_default());
    }
    Ok(misfits)
}

/// The mini-program's templates whose keys did not fit when the platform was asked last. A cache that does not answer names none:
/// then the platform refuses the card itself.
pub(crate) async fn unfit(bot: &Bot) -> HashSet<String> {
    let kept = bot.cache.get(&unfit_templates(&bot.settings.platforms.app_id)).await.ok().flatten();
    kept.and_then(|kept| serde_json::from_slice(&kept).ok()).unwrap_or_default()
}

/// Asks until told to stop. Nothing else waits for it, and nothing stops when the answer does not come.
pub(crate) async fn keep_asking(bot: &Bot, stop: &CancellationToken) {
    while !stop.is_cancelled() {
        let asked = tokio::select! {
            () = stop.cancelled() => return,
            asked = bot.check_templates() => asked,
        };
        let pause = match asked {
            Ok(misfits) if misfits.is_empty() => EVERY,
            Ok(_) => AGAIN_AFTER,
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
    /// Asks the platform whether the configured templates fit, tells the log, and leaves the answer for `/readyz` and for cards:
    /// what waited for a template that fits now goes on.
    ///
    /// # Errors
    /// An outcome that is not [`Outcome::Taken`]: the platform could not be asked about one of the accounts, and of that what it said
    /// before stands.
    pub async fn check_templates(&self) -> Result<Vec<String>, Outcome> {
        let listed = self.channels.subscribe_messages.listed().await?;
        let mut misfits = self.channels.subscribe_messages.misfits_of(&listed);
        let unfit = self.channels.subscribe_messages.unfit(&listed);
        // What the one account said holds, whether the other can be asked or not.
        if let Err(fault) = self.let_fitting_go_on(&unfit).await {
            tracing::warn!(%fault, "cards do not know yet which templates fit");
        }
        self.tell(&self.settings.platforms.app_id, &misfits).await;
        if let Some(official) = &self.channels.template_messages {
            let others = official.misfits().await?;
            self.tell(official.app_id(), &others).await;
            misfits.extend(others);
        }
        Ok(misfits)
    }

    /// Tells the log and whoever watches what an account's templates lack.
    async fn tell(&self, app_id: &str, misfits: &[String]) {
        for misfit in misfits {
            tracing::error!(%misfit, "a template does not fit the account's: cards by it are refused");
        }
        if misfits.is_empty() {
            tracing::info!(app_id, "the templates fit the account's");
        }
        let told = serde_json::to_vec(misfits).unwrap_or_default();
        if let Err(fault) = self.cache.set(&last_answer(app_id), &told, KEEP_FOR).await {
            tracing::warn!(%fault, "what the platform said of the templates could not be kept");
        }
    }

    async fn let_fitting_go_on(&self, unfit: &[String]) -> Result<(), Fault> {
        let before = self::unfit(self).await;
        let told = serde_json::to_vec(unfit).unwrap_or_default();
        self.cache.set(&unfit_templates(&self.settings.platforms.app_id), &told, KEEP_FOR).await?;
        // Where all fit, always: whoever noted that before may have died before the cards were let go.
        if unfit.is_empty() || before.iter().any(|template| !unfit.contains(template)) {
            template_stops::try_again(&self.store).await?;
        }
        Ok(())
    }
}

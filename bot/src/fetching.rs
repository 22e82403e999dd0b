//! Photos and voice notes that residents sent in the chat: fetched from the platform after the complaint was filed.

use qingfeng_core::{
    evidence::{self, Awaited},
    refusal::{Fault, RefusalKind},
};

use crate::{Bot, channels::MediaFault};

/// Fetched in one round; the rest in the next. Few, because what is to be delivered waits meanwhile for a platform that hangs.
const BATCH: u64 = 5;

/// Attempts before this one, after which a file that cannot be used is not going to be usable: two hours, so that a platform in
/// trouble has given another one by then, and the person can still send it again.
const USABLE_BY: i32 = 7;

/// Fetches what is due.
///
/// # Errors
/// When the database does not answer.
pub(crate) async fn run(bot: &Bot) -> Result<(), Fault> {
    for awaited in evidence::claim(&bot.store, BATCH).await? {
        // One photo's trouble is not the others'.
        if let Err(fault) = fetch(bot, &awaited).await {
            tracing::warn!(%fault, complaint = %awaited.complaint_id, "a photo or voice note is not fetched yet");
        }
    }
    Ok(())
}

async fn fetch(bot: &Bot, awaited: &Awaited) -> Result<(), Fault> {
    if awaited.is_lost(bot.store.clock().now()) {
        return evidence::give_up(&bot.store, awaited).await;
    }
    let Some(account) = bot.channels.accounts.named(awaited.app_id.as_deref()) else {
        // Nobody has its key any more.
        tracing::warn!(complaint = %awaited.complaint_id, "the account of a photo or voice note is no longer ours");
        return evidence::give_up(&bot.store, awaited).await;
    };
    let bytes = match account.media(&awaited.reference).await {
        Ok(bytes) => bytes,
        Err(MediaFault::Gone(reason)) => {
            tracing::warn!(reason, complaint = %awaited.complaint_id, "a photo or voice note cannot be had");
            return evidence::give_up(&bot.store, awaited).await;
        }
        // Fetching changes nothing: as long as the platform holds it, whatever else came in between may be mended.
        Err(MediaFault::NotYet(reason)) => return Err(Fault::unavailable(reason)),
    };
    match evidence::take(&bot.store, &bot.darkroom, awaited, bytes).await {
        // What arrived may be half of it: only a file that stays unusable is given up.
        Err(Fault::Refused(refusal)) if refusal.kind != RefusalKind::StorageFull && awaited.attempts >= USABLE_BY => {
            tracing::warn!(code = refusal.code, complaint = %awaited.complaint_id, "a photo or voice note is unusable");
            evidence::give_up(&bot.store, awaited).await
        }
        taken => taken,
    }
}

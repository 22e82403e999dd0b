//! A card on its way: an accept is used up for it, of its own template or else of the other.

use qingfeng_core::{
    outbox::{
        consents::{self, Consent},
        entity::Model as Message,
    },
    refusal::Fault,
};

use super::{Outcome, claim};
use crate::{
    Bot,
    channels::{Card, TemplateUse},
};

/// Sends the card if the person accepts one. Without any accept the platform is not asked.
pub(super) async fn deliver(bot: &Bot, open_id: &str, card: Card, messages: &[Message]) -> Result<Outcome, Fault> {
    let validity = bot.subscribe_messages.consents();
    for template in ways(&card) {
        let consent = Consent::new(open_id, bot.subscribe_messages.template_id(template));
        if !consents::take(&bot.store, consent.clone(), validity).await? {
            continue;
        }
        claim::depart(bot, messages).await?;
        let outcome = bot.subscribe_messages.send(open_id, &Card { template, ..card.clone() }).await;
        match &outcome {
            // It may have arrived: then the accept is used.
            Outcome::Taken(_) | Outcome::Unknown(_) => return Ok(outcome),
            Outcome::NoConsent(_) => consents::none_left(&bot.store, consent).await?,
            Outcome::Later { .. } | Outcome::Waits { .. } | Outcome::Final(_) => {
                consents::give_back(&bot.store, consent, validity).await?;
                return Ok(outcome);
            }
        }
    }
    Ok(Outcome::NoConsent("本人没有同意接收微信通知，或同意的次数已用完；下次打开小程序时会再请他同意".into()))
}

/// The card's own template first. What has a date also fits the other way round.
fn ways(card: &Card) -> Vec<TemplateUse> {
    match (card.template, card.due_on) {
        (TemplateUse::Reminder, _) => vec![TemplateUse::Reminder, TemplateUse::Progress],
        (TemplateUse::Progress, Some(_)) => vec![TemplateUse::Progress, TemplateUse::Reminder],
        (TemplateUse::Progress, None) => vec![TemplateUse::Progress],
    }
}

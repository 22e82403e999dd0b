//! A card on its way: through WeCom, which needs no consent per message, or else as a subscribe message, for which an
//! accept is used up, of its own template or else of the other.

use qingfeng_core::{
    outbox::{
        consents::{self, Consent},
        entity::Model as Message,
    },
    refusal::Fault,
};

use chrono::TimeDelta;

use super::{
    Outcome, buttons,
    claim::{self, Leave},
    departure,
    recipient::Address,
};
use crate::{
    Bot,
    channels::{AppMessage, Card, GUARDED_FOR, TemplateCard, TemplateUse},
};

/// Sends the card the first way that reaches the person.
pub(super) async fn deliver(bot: &Bot, address: &Address, card: Card, messages: &[Message]) -> Result<Outcome, Fault> {
    let mut nobody = None;
    if let (Some(app), Some(user_id)) = (&bot.channels.wecom_app, &address.wecom_user_id) {
        let buttons = if app.takes_taps() { buttons::of(messages) } else { None };
        let shown = TemplateCard::of(&card, &bot.settings.public_url, buttons);
        let request = app.envelope(user_id, AppMessage::Card(shown).bodies().remove(0));
        let guarded_for = TimeDelta::seconds(GUARDED_FOR.into());
        if !departure::depart(bot, messages, "wecom_app", &request, guarded_for).await? {
            return Ok(claim::taken_over(bot));
        }
        match app.send(&request).await {
            Outcome::NoConsent(reason) => nobody = Some(Outcome::NoConsent(reason)),
            Outcome::Unknown(reason) => {
                let at = bot.store.clock().now() + departure::AGAIN_AFTER;
                return Ok(Outcome::Repeatable { at, reason });
            }
            outcome => return Ok(outcome),
        }
    }
    match (&address.open_id, nobody) {
        (Some(open_id), _) => subscribe_message(bot, open_id, card, messages).await,
        (None, Some(nobody)) => Ok(nobody),
        (None, None) => Ok(Outcome::Final("本人还没有绑定微信".into())),
    }
}

/// Sends the card if the person accepts one. Without any accept the platform is not asked.
async fn subscribe_message(bot: &Bot, open_id: &str, card: Card, messages: &[Message]) -> Result<Outcome, Fault> {
    let validity = bot.channels.subscribe_messages.consents();
    for template in ways(&card) {
        let consent = Consent::new(open_id, bot.channels.subscribe_messages.template_id(template));
        match claim::depart_with_consent(bot, messages, &consent, validity).await? {
            Leave::Granted => {}
            Leave::NoConsent => continue,
            Leave::NotOurs => return Ok(claim::taken_over(bot)),
        }
        let outcome = bot.channels.subscribe_messages.send(open_id, &Card { template, ..card.clone() }).await;
        match &outcome {
            // It may have arrived: then the accept is used.
            Outcome::Taken(_) | Outcome::Unknown(_) | Outcome::Repeatable { .. } => return Ok(outcome),
            Outcome::NoConsent(_) => consents::none_left(&bot.store, consent).await?,
            Outcome::Later { .. } | Outcome::Waits { .. } | Outcome::Final(_) | Outcome::Dead(_) => {
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

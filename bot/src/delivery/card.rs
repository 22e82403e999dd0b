//! A card on its way: through WeCom, which needs no consent per message, or else as a subscribe message, for which an
//! accept is used up, of its own template or else of the other; and where no accept is left, in the chat with the official
//! account.

use qingfeng_core::{
    outbox::{
        consents::{self, Consent},
        entity::Model as Message,
        template_stops::{self, Verdict},
    },
    refusal::Fault,
};

use chrono::TimeDelta;

use super::{
    Outcome, buttons,
    claim::{self, Leave},
    departure, official_account,
    recipient::Address,
};
use crate::{
    Bot,
    channels::{AppMessage, Card, GUARDED_FOR, TemplateCard, TemplateTrouble, TemplateUse},
    conversations::card_name,
    template_check,
};

/// Sends the card the first way that reaches the person.
pub(super) async fn deliver(bot: &Bot, address: &Address, card: Card, messages: &[Message]) -> Result<Outcome, Fault> {
    let mut nobody = None;
    if let (Some(app), Some(user_id)) = (&bot.channels.wecom_app, &address.wecom_user_id) {
        let (task, buttons) = match buttons::of(messages) {
            Some((task, buttons)) if app.takes_taps() => (Some(task), buttons),
            _ => (messages.first().map(card_name), Vec::new()),
        };
        let shown = TemplateCard { task, buttons, ..TemplateCard::of(&card, &bot.settings.public_url) };
        let request = app.envelope(user_id, AppMessage::Card(shown).bodies().remove(0));
        let guarded_for = TimeDelta::seconds(GUARDED_FOR.into());
        if !departure::depart(bot, messages, departure::WECOM_APP, &request, guarded_for).await? {
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
    if let Some(open_id) = &address.open_id {
        match subscribe_message(bot, open_id, &card, messages).await? {
            outcome @ (Outcome::NoConsent(_) | Outcome::Stopped(_)) => nobody = Some(outcome),
            outcome => return Ok(outcome),
        }
    }
    if let (Some(channel), Some(open_id)) = (&bot.channels.template_messages, &address.official_open_id) {
        match (official_account::deliver(bot, channel, open_id, &card, messages).await?, &nobody) {
            // Why the mini-program did not reach him says better what helps, and what waits for a template goes on waiting.
            (Outcome::NoConsent(_) | Outcome::Stopped(_) | Outcome::Final(_) | Outcome::Dead(_), Some(_)) => {}
            (outcome, _) => return Ok(outcome),
        }
    }
    Ok(nobody.unwrap_or_else(|| Outcome::Final("本人还没有绑定微信".into())))
}

/// Sends the card if the person accepts one. Without any accept the platform is not asked, nor by a template that is used no
/// more or whose keys do not fit: then the card waits for it, unless the other one does.
async fn subscribe_message(bot: &Bot, open_id: &str, card: &Card, messages: &[Message]) -> Result<Outcome, Fault> {
    let channel = &bot.channels.subscribe_messages;
    let validity = channel.consents();
    let stopped = template_stops::stopped(bot.store.reader()).await?;
    let unfit = template_check::unfit(bot).await;
    let (mut waits, mut is_unfit) = (false, false);
    for template in ways(card) {
        let consent = Consent::new(open_id, channel.template_id(template));
        if unfit.contains(&consent.template_id) {
            is_unfit = true;
            continue;
        }
        if stopped.contains(&consent.template_id) {
            waits = true;
            continue;
        }
        match claim::depart_with_consent(bot, messages, &consent, validity).await? {
            Leave::Granted => {}
            Leave::NoConsent => continue,
            Leave::NotOurs => return Ok(claim::taken_over(bot)),
        }
        let outcome = match channel.send(open_id, &Card { template, ..card.clone() }).await {
            Ok(outcome) => outcome,
            Err(trouble) => {
                consents::give_back(&bot.store, consent.clone(), validity).await?;
                match after_trouble(bot, &consent, messages, trouble).await? {
                    Some(outcome) => return Ok(outcome),
                    None => {
                        waits = true;
                        continue;
                    }
                }
            }
        };
        match &outcome {
            Outcome::Taken(_) => {
                template_stops::works(&bot.store, &consent.template_id).await?;
                return Ok(outcome);
            }
            // It may have arrived: then the accept is used.
            Outcome::Unknown(_) | Outcome::Repeatable { .. } => return Ok(outcome),
            Outcome::NoConsent(_) => consents::none_left(&bot.store, consent).await?,
            Outcome::Later { .. }
            | Outcome::Waits { .. }
            | Outcome::Stopped(_)
            | Outcome::Final(_)
            | Outcome::Dead(_) => {
                consents::give_back(&bot.store, consent, validity).await?;
                return Ok(outcome);
            }
        }
    }
    if is_unfit {
        return Ok(Outcome::Stopped("消息模板的内容与配置不符，改好以后会接着发".into()));
    }
    if waits {
        return Ok(Outcome::Stopped("微信停用了这类通知的模板，管理员重新启用后会接着发".into()));
    }
    Ok(Outcome::NoConsent("本人没有同意接收微信通知，或同意的次数已用完；下次打开小程序时会再请他同意".into()))
}

/// What becomes of a card whose template the platform does not take; none: the template is used no more from now on.
pub(super) async fn after_trouble(
    bot: &Bot,
    consent: &Consent,
    messages: &[Message],
    trouble: TemplateTrouble,
) -> Result<Option<Outcome>, Fault> {
    let Some(county) = messages.first().map(|message| message.county_id) else { return Ok(None) };
    match trouble {
        TemplateTrouble::Dead { code, .. } => {
            template_stops::taken_away(&bot.store, county, &consent.template_id, code).await?;
            Ok(None)
        }
        TemplateTrouble::Doubted { code, reason } => {
            let most = bot.settings.template_failures;
            Ok(match template_stops::refused(&bot.store, county, consent, code, most).await? {
                Verdict::OnceMore(at) => Some(Outcome::Later { at, reason }),
                Verdict::Final => Some(Outcome::Final(reason)),
                Verdict::Stopped => None,
            })
        }
    }
}

/// The card's own template first. What has a date also fits the other way round.
pub(super) fn ways(card: &Card) -> Vec<TemplateUse> {
    match (card.template, card.due_on) {
        (TemplateUse::Reminder, _) => vec![TemplateUse::Reminder, TemplateUse::Progress],
        (TemplateUse::Progress, Some(_)) => vec![TemplateUse::Progress, TemplateUse::Reminder],
        (TemplateUse::Progress, None) => vec![TemplateUse::Progress],
    }
}

//! A card in the chat with the official account: it uses up no accept, but reaches only who follows and has bound the chat. The
//! platform takes one card once within some minutes, so one of which nothing came back may leave again.

use qingfeng_core::{
    outbox::{consents::Consent, entity::Model as Message, template_stops},
    refusal::Fault,
};

use super::{
    Outcome,
    card::{after_trouble, ways},
    claim, departure,
};
use crate::{
    Bot,
    channels::{Card, TEMPLATE_MESSAGE_GUARDED_FOR, TemplateMessages, TemplateTrouble},
    conversations::card_name,
};

/// Sends the card by its own template, or the other one where its own is used no more.
pub(super) async fn deliver(
    bot: &Bot,
    channel: &TemplateMessages,
    open_id: &str,
    card: &Card,
    messages: &[Message],
) -> Result<Outcome, Fault> {
    let Some(first) = messages.first() else { return Ok(Outcome::Final("没有要发的内容".into())) };
    let stopped = template_stops::stopped(bot.store.reader()).await?;
    for template in ways(card) {
        let consent = Consent::new(open_id, channel.template_id(template));
        if stopped.contains(&consent.template_id) {
            continue;
        }
        let request = channel.request(open_id, &Card { template, ..card.clone() }, &card_name(first));
        let guarded_for = TEMPLATE_MESSAGE_GUARDED_FOR;
        if !departure::depart(bot, messages, departure::OFFICIAL_ACCOUNT, &request, guarded_for).await? {
            return Ok(claim::taken_over(bot));
        }
        match channel.send(&request).await {
            Ok(Outcome::Taken(reference)) => {
                template_stops::works(&bot.store, &consent.template_id).await?;
                return Ok(Outcome::Taken(reference));
            }
            Ok(Outcome::Unknown(reason)) => {
                let at = bot.store.clock().now() + departure::AGAIN_AFTER;
                return Ok(Outcome::Repeatable { at, reason });
            }
            Ok(outcome) => return Ok(outcome),
            Err(trouble) => {
                if let Some(outcome) = after_trouble(bot, &consent, messages, trouble).await? {
                    return Ok(outcome);
                }
            }
        }
    }
    Ok(Outcome::Stopped("微信停用了这类通知的模板，管理员重新启用后会接着发".into()))
}

/// The same request once more.
pub(super) async fn again(channel: &TemplateMessages, request: &str) -> Outcome {
    match channel.send(request).await {
        Ok(outcome) => outcome,
        // The first one may have arrived before.
        Err(TemplateTrouble::Doubted { reason, .. } | TemplateTrouble::Dead { reason, .. }) => Outcome::Unknown(reason),
    }
}

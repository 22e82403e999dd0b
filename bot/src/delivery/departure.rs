//! Requests that the platform recognizes when they come again. One whose end is not known — no answer, or a bot that died —
//! is sent again, word for word, while the platform still guards against doubles; afterwards a person decides.

use std::collections::HashMap;

use chrono::TimeDelta;
use qingfeng_core::{
    ids::random_id,
    outbox::{
        MessageState, departures,
        entity::{Column, Entity, Model as Message},
    },
    refusal::Fault,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, LockBehavior, LockType},
};
use uuid::Uuid;

use super::{Delivered, Outcome, Round, claim, official_account};
use crate::Bot;

/// The channels that guard against doubles, as they are written down.
pub(super) const WECOM_APP: &str = "wecom_app";
pub(crate) const OFFICIAL_ACCOUNT: &str = "official_account";

/// Pause before a request goes out again.
pub(super) const AGAIN_AFTER: TimeDelta = TimeDelta::minutes(1);
/// The platform's clock and ours may differ by this much.
const MARGIN: TimeDelta = TimeDelta::minutes(5);
const BATCH: u64 = 100;

/// Writes the request down just before it leaves; false when the messages are another bot's by now.
pub(super) async fn depart(
    bot: &Bot,
    messages: &[Message],
    channel: &'static str,
    request: &str,
    guarded_for: TimeDelta,
) -> Result<bool, Fault> {
    let Some(county) = messages.first().map(|message| message.county_id) else { return Ok(false) };
    let ids: Vec<_> = messages.iter().map(|message| message.id).collect();
    let (holder, request) = (bot.holder.clone(), request.to_owned());
    bot.store
        .housekeeping(move |unit| {
            Box::pin(async move {
                let id = random_id(unit.randomness());
                if !claim::leave(unit, &holder, &ids, Some((channel, id))).await? {
                    return Ok(false);
                }
                departures::Entity::insert(departures::ActiveModel {
                    id: Set(id),
                    county_id: Set(county),
                    channel: Set(channel.to_owned()),
                    request: Set(request),
                    guarded_until: Set(unit.now() + guarded_for - MARGIN),
                    created_at: Set(unit.now()),
                })
                .exec_without_returning(unit.connection())
                .await?;
                Ok(true)
            })
        })
        .await
}

/// Sends again what left, was not answered, and is still guarded.
pub(super) async fn resolve(bot: &Bot, round: &Round, delivered: &mut Delivered) -> Result<(), Fault> {
    for (departure, messages) in claim_guarded(bot).await? {
        // The others come up again when the lease ends.
        if round.end(bot).await?.is_some() {
            break;
        }
        let now = bot.store.clock().now();
        let outcome = match again(bot, &departure).await {
            Outcome::Unknown(reason) => Outcome::Repeatable { at: now + AGAIN_AFTER, reason },
            // Of the first one nothing is known yet: only these very words are recognized.
            Outcome::Later { at, reason } | Outcome::Waits { until: at, reason } => Outcome::Repeatable { at, reason },
            // Then the first one has not arrived either, and another way may do.
            Outcome::NoConsent(reason) => Outcome::Later { at: now, reason },
            outcome => outcome,
        };
        claim::settle(bot, &messages, outcome, delivered).await?;
    }
    Ok(())
}

async fn again(bot: &Bot, departure: &departures::Model) -> Outcome {
    match (departure.channel.as_str(), &bot.channels.wecom_app, &bot.channels.template_messages) {
        (WECOM_APP, Some(app), _) => app.send(&departure.request).await,
        (OFFICIAL_ACCOUNT, _, Some(channel)) => official_account::again(channel, &departure.request).await,
        // Left before the configuration changed: when the guard ends, a person decides.
        _ => Outcome::Unknown("这条发送渠道已经停用".into()),
    }
}

/// Takes what waits to be sent again for this bot.
async fn claim_guarded(bot: &Bot) -> Result<Vec<(departures::Model, Vec<Message>)>, Fault> {
    let holder = bot.holder.clone();
    bot.store
        .housekeeping(move |unit| {
            Box::pin(async move {
                let waiting = Entity::find()
                    .filter(Column::State.eq(MessageState::Departed))
                    .filter(Column::LeaseUntil.lt(unit.now()))
                    .filter(Column::DepartureId.is_not_null())
                    .order_by_asc(Column::Id)
                    .limit(BATCH)
                    .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
                    .all(unit.connection())
                    .await?;
                let ids = waiting.iter().filter_map(|message| message.departure_id);
                let guarded = departures::Entity::find()
                    .filter(departures::Column::Id.is_in(ids))
                    .filter(departures::Column::GuardedUntil.gt(unit.now()))
                    .all(unit.connection())
                    .await?;
                let mut groups: HashMap<Uuid, Vec<Message>> = HashMap::new();
                for message in waiting {
                    if let Some(id) = message.departure_id {
                        groups.entry(id).or_default().push(message);
                    }
                }
                Entity::update_many()
                    .col_expr(Column::LeaseHolder, Expr::value(holder))
                    .col_expr(Column::LeaseUntil, Expr::value(unit.now() + claim::LEASE))
                    .filter(Column::State.eq(MessageState::Departed))
                    .filter(Column::DepartureId.is_in(guarded.iter().map(|departure| departure.id)))
                    .exec(unit.connection())
                    .await?;
                let of = |departure: departures::Model| {
                    let messages = groups.remove(&departure.id).unwrap_or_default();
                    (departure, messages)
                };
                Ok(guarded.into_iter().map(of).collect())
            })
        })
        .await
}

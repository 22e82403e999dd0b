//! Cards at WeCom that were answered are changed, so that they say so. The code of a tap is good once: a request whose end is not
//! known may be repeated, and is refused if it had arrived.

use chrono::TimeDelta;
use qingfeng_core::{
    outbox::card_updates::{Column, Entity, Model},
    refusal::Fault,
};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, LockBehavior, LockType},
};

use super::{Outcome, Round};
use crate::{Bot, channels::WeComApp};

const BATCH: u64 = 100;
/// Pause after an attempt; longer than one takes.
const PAUSE: TimeDelta = TimeDelta::minutes(5);

/// Sends what is due. Trouble with one is not the others', and never stops the messages.
pub(super) async fn send(bot: &Bot, round: &Round) -> Result<(), Fault> {
    let Some(app) = &bot.channels.wecom_app else { return Ok(()) };
    for update in claim(bot).await? {
        // The others come up again after the pause.
        if round.is_long_at(bot.store.clock().now()) {
            break;
        }
        if let Err(fault) = send_one(bot, app, &update).await {
            tracing::warn!(%fault, "a card could not be changed; it is tried again");
        }
    }
    Ok(())
}

async fn send_one(bot: &Bot, app: &WeComApp, update: &Model) -> Result<(), Fault> {
    match app.update_card(&update.user_id, &update.response_code, &update.words).await {
        // Comes up again after the pause.
        Outcome::Later { .. }
        | Outcome::Unknown(_)
        | Outcome::Waits { .. }
        | Outcome::Stopped(_)
        | Outcome::Repeatable { .. } => Ok(()),
        Outcome::Taken(_) => forget(bot, update).await,
        Outcome::Final(reason) | Outcome::NoConsent(reason) | Outcome::Dead(reason) => {
            tracing::info!(reason, "the platform does not change a card");
            forget(bot, update).await
        }
    }
}

/// Takes what is due for this bot, and drops what the platform does not take any more.
async fn claim(bot: &Bot) -> Result<Vec<Model>, Fault> {
    // Looked at without a transaction first: there is seldom anything.
    if Entity::find().filter(Column::NotBefore.lte(bot.store.clock().now())).one(bot.store.reader()).await?.is_none() {
        return Ok(Vec::new());
    }
    bot.store
        .housekeeping(|unit| {
            Box::pin(async move {
                Entity::delete_many().filter(Column::ExpiresAt.lte(unit.now())).exec(unit.connection()).await?;
                let due = Entity::find()
                    .filter(Column::NotBefore.lte(unit.now()))
                    .order_by_asc(Column::NotBefore)
                    .limit(BATCH)
                    .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
                    .all(unit.connection())
                    .await?;
                Entity::update_many()
                    .col_expr(Column::NotBefore, Expr::value(unit.now() + PAUSE))
                    .filter(Column::Id.is_in(due.iter().map(|update| update.id)))
                    .exec(unit.connection())
                    .await?;
                Ok(due)
            })
        })
        .await
}

async fn forget(bot: &Bot, update: &Model) -> Result<(), Fault> {
    let id = update.id;
    bot.store
        .housekeeping(move |unit| {
            Box::pin(async move {
                Entity::delete_by_id(id).exec(unit.connection()).await?;
                Ok(())
            })
        })
        .await
}

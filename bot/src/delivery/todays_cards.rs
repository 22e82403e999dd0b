//! How many cards a person has had today, and may be getting at this moment.

use chrono::NaiveTime;
use qingfeng_core::{
    clock::{shanghai_date, shanghai_instant},
    outbox::{
        MessageState,
        entity::{Column, Entity},
    },
    refusal::Fault,
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use crate::Bot;

/// What reaches a person: the own messages, and those that come because the person stands in.
fn reaching(person: Uuid) -> Condition {
    let own = Condition::all().add(Column::ReachedId.is_null()).add(Column::RecipientId.eq(person));
    Condition::any().add(Column::ReachedId.eq(person)).add(own)
}

/// The cards that a person got today, or may have got: one of which nobody knows counts like one that arrived. Several messages in one
/// card are for one recipient and were sent at one instant.
pub(super) async fn had(bot: &Bot, person: Uuid) -> Result<u64, Fault> {
    let now = bot.store.clock().now();
    let midnight = shanghai_instant(shanghai_date(now), NaiveTime::MIN);
    let sent = Entity::find()
        .select_only()
        .columns([Column::RecipientId, Column::SentAt])
        .distinct()
        .filter(reaching(person))
        .filter(Column::SentAt.gte(midnight))
        .count(bot.store.reader())
        .await?;
    // It waits to be sent again word for word, or its bot died: no other bot is sending it.
    let is_left_alone = Condition::any()
        .add(Column::LeaseHolder.is_null())
        .add(Column::LeaseHolder.eq(bot.holder.as_str()))
        .add(Column::LeaseUntil.lte(now));
    let departed = Condition::all().add(Column::State.eq(MessageState::Departed)).add(is_left_alone);
    let in_doubt = Entity::find()
        .select_only()
        .column(Column::CardId)
        .distinct()
        .filter(reaching(person))
        .filter(Column::LeftAt.gte(midnight))
        .filter(Condition::any().add(Column::State.eq(MessageState::Unknown)).add(departed))
        .count(bot.store.reader())
        .await?;
    Ok(sent + in_doubt)
}

/// The cards that other bots are sending to a person right now.
pub(super) async fn on_their_way(bot: &Bot, person: Uuid) -> Result<u64, Fault> {
    Ok(Entity::find()
        .select_only()
        .columns([Column::RecipientId, Column::LeaseHolder])
        .distinct()
        .filter(reaching(person))
        .filter(Column::State.is_in([MessageState::Sending, MessageState::Departed]))
        .filter(Column::LeaseUntil.gt(bot.store.clock().now()))
        .filter(Column::LeaseHolder.ne(bot.holder.as_str()))
        .count(bot.store.reader())
        .await?)
}

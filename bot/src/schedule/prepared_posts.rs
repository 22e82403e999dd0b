//! Posts that wait for a person to put them into their group: reminded of after one day and after three, given up after a
//! week, when the office sees them among what was not delivered.

use chrono::NaiveDate;
use qingfeng_core::{
    clock::shanghai_date,
    groups::{
        entity as groups,
        prepared::{self, PreparedState, entity},
    },
    ids::{CountyId, MessageId},
    outbox::{Notice, Recipient},
    refusal::Fault,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::json;

use super::{Outgoing, patience::Due};
use crate::Bot;

const PAGE: u64 = 500;

pub(super) async fn schedule(
    bot: &Bot,
    county: CountyId,
    today: NaiveDate,
    outgoing: &Outgoing<'_>,
) -> Result<(), Fault> {
    let mut after = MessageId(uuid::Uuid::nil());
    loop {
        let page = entity::Entity::find()
            .filter(entity::Column::CountyId.eq(county))
            .filter(entity::Column::State.eq(PreparedState::Prepared))
            .filter(entity::Column::Id.gt(after))
            .order_by_asc(entity::Column::Id)
            .limit(PAGE)
            .all(bot.store.reader())
            .await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.id;
        for post in page {
            let since = shanghai_date(post.prepared_at);
            let step = match Due::of(since, today) {
                Due::Nothing => continue,
                Due::GivingUp => {
                    bot.store.housekeeping(move |unit| Box::pin(prepared::expire(unit, post.id))).await?;
                    continue;
                }
                Due::Reminder(step) => step,
            };
            let group = groups::Entity::find_by_id(post.group_id).one(bot.store.reader()).await?;
            let title = group.map(|group| group.name).unwrap_or_default();
            let notice = Notice::new(Recipient::Staff(post.keeper_staff_id), "post_waiting", post.group_id)
                .step(format!("{}:{since}:{step}", post.id))
                .township(post.township_id)
                .facts(json!({"title": title, "post_id": post.id}));
            outgoing.add(vec![notice]).await?;
        }
    }
}

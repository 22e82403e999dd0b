//! Posts that wait for a second person: those who can read them are reminded after one day and after three; after a week the
//! office sees them among what was not delivered.

use chrono::NaiveDate;
use qingfeng_core::{
    clock::shanghai_date,
    groups::{
        entity as groups,
        reviews::{ReviewState, entity},
        unread,
    },
    ids::{CountyId, MessageId},
    outbox::{Notice, Recipient},
    refusal::Fault,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::json;

use super::{Outgoing, patience::Due};
use crate::{Bot, delivery};

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
            .filter(entity::Column::State.eq(ReviewState::Waiting))
            .filter(entity::Column::Id.gt(after))
            .order_by_asc(entity::Column::Id)
            .limit(PAGE)
            .all(bot.store.reader())
            .await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.id;
        for review in page {
            let since = shanghai_date(review.created_at);
            let step = match Due::of(since, today) {
                Due::Nothing => continue,
                Due::GivingUp => {
                    bot.store.housekeeping(move |unit| Box::pin(unread::give_up(unit, review.id))).await?;
                    continue;
                }
                Due::Reminder(step) => step,
            };
            let group = groups::Entity::find_by_id(review.group_id).one(bot.store.reader()).await?;
            let title = group.map(|group| group.name).unwrap_or_default();
            let notice = |reader| {
                Notice::new(Recipient::Staff(reader), "review_waiting", review.group_id)
                    .step(format!("{}:{since}:{step}", review.id))
                    .township(review.township_id)
                    .facts(json!({"title": title, "review_id": review.id}))
            };
            let readers = delivery::readers(bot, review.township_id, review.author_staff_id).await?;
            outgoing.add(readers.into_iter().map(notice).collect()).await?;
        }
    }
}

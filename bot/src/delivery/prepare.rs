//! A post for a group that no program may write into: prepared, and handed to the person who looks after the group.

use chrono::TimeDelta;
use qingfeng_core::{
    clock::shanghai_date,
    groups::{
        entity::Model as Group,
        prepared::{self, NewPost},
    },
    ids::StaffId,
    outbox::{self, Notice, Recipient, entity::Model as Message},
    people::Role,
    refusal::Fault,
};
use serde_json::json;

use super::Outcome;
use crate::{Bot, channels::plain_words, messages, schedule::holders};

/// The platform gives links for at most 30 days.
const LINK_LASTS: TimeDelta = TimeDelta::days(30);

/// Prepares the post; none = it is with a person now.
pub(super) async fn prepare(bot: &Bot, group: &Group, message: &Message) -> Result<Option<Outcome>, Fault> {
    let Some(keeper) = keeper(bot, group).await? else {
        return Ok(Some(Outcome::Final("没有人负责往这个群转发，请指定群管理人".into())));
    };
    let text = plain_words(&messages::post(message, &bot.settings.public_url));
    // Both are nice to have: without the platform the page in the browser is linked.
    let village = group.village_id.0;
    let until = bot.store.clock().now() + LINK_LASTS;
    let account = &bot.channels.account;
    let link = account.url_link("pages/board/village", &format!("id={village}"), until).await;
    let link = link.unwrap_or_else(|_| format!("{}/app/#/pages/board/village?id={village}", bot.settings.public_url));
    let picture = account.code_image(&village.simple().to_string(), "pages/board/village").await.ok();
    let new = NewPost { message: message.id, keeper, text, link, picture };
    let notice = Notice::new(Recipient::Staff(keeper), "post_prepared", group.id)
        .step(message.id.to_string())
        .township(group.township_id)
        .facts(json!({"title": group.name, "post_id": message.id}));
    let (group, county) = (group.clone(), group.county_id);
    bot.store
        .housekeeping(move |unit| {
            Box::pin(async move {
                prepared::prepare(unit, &group, new).await?;
                outbox::enqueue(unit, county, vec![notice]).await.map(|_| ())
            })
        })
        .await?;
    Ok(None)
}

/// Who was named for the group, or else whoever leads the village, or works there.
async fn keeper(bot: &Bot, group: &Group) -> Result<Option<StaffId>, Fault> {
    if let Some(keeper) = group.keeper_staff_id {
        return Ok(Some(keeper));
    }
    let today = shanghai_date(bot.store.clock().now());
    for role in [Role::VillageSecretary, Role::VillageStaff] {
        if let Some(first) = holders(bot, group.village_id, &[role], today).await?.first() {
            return Ok(Some(*first));
        }
    }
    Ok(None)
}

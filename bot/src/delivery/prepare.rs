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
    people::{self, Role, absences, holders},
    refusal::Fault,
};
use serde_json::json;

use super::{Outcome, claim};
use crate::{
    Bot,
    channels::{first_link, plain_words},
    messages::{self, Wordings},
};

/// The platform gives links for at most 30 days, by its own clock.
const LINK_LASTS: TimeDelta = TimeDelta::days(29);

/// Prepares the post; none = it is with a person now.
pub(super) async fn prepare(
    bot: &Bot,
    wordings: &Wordings,
    group: &Group,
    message: &Message,
) -> Result<Option<Outcome>, Fault> {
    let Some(keeper) = keeper(bot, group).await? else {
        return Ok(Some(Outcome::Final("没有人负责往这个群转发，请指定群管理人".into())));
    };
    let post = messages::post(message, wordings);
    let board = format!("{}/app/#/pages/board/village?id={}", bot.settings.public_url, group.village_id);
    let page = first_link(&post).unwrap_or(board);
    // Both are nice to have: without the platform the page in the browser is linked.
    let link = mini_program_link(bot, &page).await.unwrap_or_else(|| page.clone());
    let picture = mini_program_code(bot, &page).await;
    let text = plain_words(&post.replace(&page, &link));
    let new = NewPost { message: message.id, keeper, text, link, picture };
    let notice = Notice::new(Recipient::Staff(keeper), "post_prepared", group.id)
        // Sent again by the office, it is told again.
        .step(format!("{}:{}", message.id, shanghai_date(bot.store.clock().now())))
        .township(group.township_id)
        .facts(json!({"title": group.name, "post_id": message.id}));
    let (holder, group, county) = (bot.holder.clone(), group.clone(), group.county_id);
    let is_ours = bot
        .store
        .housekeeping(move |unit| {
            Box::pin(async move {
                let is_ours = prepared::prepare(unit, &holder, &group, new).await?;
                if is_ours {
                    outbox::enqueue(unit, county, vec![notice]).await?;
                }
                Ok(is_ours)
            })
        })
        .await?;
    Ok((!is_ours).then(|| claim::taken_over(bot)))
}

/// Page and query of the mini-program behind an address of ours.
fn route<'a>(bot: &Bot, address: &'a str) -> Option<(&'a str, &'a str)> {
    let route = address.strip_prefix(&bot.settings.public_url)?.strip_prefix("/app/#/")?;
    Some(route.split_once('?').unwrap_or((route, "")))
}

async fn mini_program_link(bot: &Bot, address: &str) -> Option<String> {
    let (page, query) = route(bot, address)?;
    let until = bot.store.clock().now() + LINK_LASTS;
    bot.channels.accounts.mini_program.url_link(page, query, until).await.ok()
}

/// A code has room for one id and nothing else.
async fn mini_program_code(bot: &Bot, address: &str) -> Option<Vec<u8>> {
    let (page, query) = route(bot, address)?;
    let scene = match query {
        "" => "-".to_owned(),
        query => query.strip_prefix("id=")?.parse::<uuid::Uuid>().ok()?.simple().to_string(),
    };
    bot.channels.accounts.mini_program.code_image(&scene, page).await.ok()
}

/// Who was named for the group, or else whoever leads the village, or works there.
pub(super) async fn keeper(bot: &Bot, group: &Group) -> Result<Option<StaffId>, Fault> {
    let (reader, today) = (bot.store.reader(), shanghai_date(bot.store.clock().now()));
    let mut keeper = match group.keeper_staff_id {
        // Who left the service or may forward no posts any more is passed over.
        Some(named) => {
            let named = people::load_staff(&bot.store, named, today).await?;
            named.filter(|staff| prepared::may_forward(staff, group)).map(|staff| staff.id)
        }
        None => None,
    };
    for role in [Role::VillageSecretary, Role::VillageStaff] {
        if keeper.is_none() {
            keeper = holders(reader, group.village_id, &[role], today).await?.first().copied();
        }
    }
    let Some(keeper) = keeper else { return Ok(None) };
    Ok(Some(absences::deputy_on(reader, keeper, today).await?.unwrap_or(keeper)))
}

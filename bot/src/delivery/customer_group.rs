//! A group with outside WeChat users: WeCom takes the post as a task, which the person who looks after the group confirms on
//! his phone with one tap.

use std::time::Duration;

use chrono::{NaiveTime, TimeDelta};
use qingfeng_core::{
    clock::{shanghai_date, shanghai_instant},
    groups::{RobotKey, entity::Model as Group},
    outbox::entity::Model as Message,
    people::phones,
    refusal::Fault,
};

use super::{Outcome, QUIET_UNTIL, claim, prepare};
use crate::{
    Bot,
    channels::{LONGEST_GROUP_TEXT, plain_words},
    messages::{self, Wordings, within_bytes},
};

/// A group takes as many messages a month as the month has days; what comes on top is lost without a word.
const A_MONTH: (u32, Duration) = (28, Duration::from_secs(30 * 24 * 60 * 60));

/// `chat` holds the group's id at WeCom in the place of a robot's key.
pub(super) async fn post(
    bot: &Bot,
    wordings: &Wordings,
    group: &Group,
    chat: &RobotKey,
    message: &Message,
) -> Result<Outcome, Fault> {
    let Some(app) = &bot.channels.wecom_app else { return Ok(Outcome::Final("没有配置企业微信应用".into())) };
    let keeper = match prepare::keeper(bot, group).await? {
        Some(keeper) => phones::wecom_user_id(bot.store.reader(), keeper).await?,
        None => None,
    };
    let Some(sender) = keeper else {
        return Ok(Outcome::Final("这个客户群没有绑定了企业微信的转发人，请指定".into()));
    };
    let slot = format!("customer_group:{}", group.id);
    if bot.cache.take_slot(&slot, A_MONTH.0, A_MONTH.1).await?.is_some() {
        let tomorrow = shanghai_date(bot.store.clock().now()) + TimeDelta::days(1);
        let morning = NaiveTime::from_hms_opt(QUIET_UNTIL, 0, 0).expect("an hour of the day");
        let until = shanghai_instant(tomorrow, morning);
        return Ok(Outcome::Waits { until, reason: "这个客户群本月的发送次数已满".into() });
    }
    let text = within_bytes(&plain_words(&messages::post(message, wordings)), LONGEST_GROUP_TEXT);
    claim::depart(bot, std::slice::from_ref(message)).await?;
    Ok(app.customer_group_task(&sender, &chat.token, &text).await)
}

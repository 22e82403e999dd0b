//! A group with outside WeChat users: WeCom takes the post as a task, which the person who looks after the group confirms on
//! his phone with one tap.

use chrono::{Datelike as _, Months, NaiveDate, NaiveTime};
use qingfeng_core::{
    clock::{shanghai_date, shanghai_instant},
    groups::{RobotKey, entity::Model as Group},
    outbox::{
        MessageState,
        entity::{Column, Entity, Model as Message},
    },
    people::phones,
    refusal::Fault,
};

use sea_orm::{ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter};

use super::{Outcome, QUIET_UNTIL, claim, prepare};
use crate::{
    Bot,
    channels::{LONGEST_GROUP_TEXT, plain_words},
    messages::{self, Wordings, within_bytes},
};

/// A group takes as many messages a month as the month has days; what comes on top is lost without a word.
const A_MONTH: u64 = 28;

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
    let today = shanghai_date(bot.store.clock().now());
    let first = today.with_day(1).unwrap_or(today);
    if sent_since(bot, group, first).await? >= A_MONTH {
        let morning = NaiveTime::from_hms_opt(QUIET_UNTIL, 0, 0).expect("an hour of the day");
        let until = shanghai_instant(first + Months::new(1), morning);
        return Ok(Outcome::Waits { until, reason: "这个客户群本月的发送次数已满".into() });
    }
    let text = within_bytes(&plain_words(&messages::post(message, wordings)), LONGEST_GROUP_TEXT);
    if !claim::depart(bot, std::slice::from_ref(message)).await? {
        return Ok(claim::taken_over(bot));
    }
    Ok(app.customer_group_task(&sender, &chat.token, &text).await)
}

/// The posts that this group had since that day, or may have had.
async fn sent_since(bot: &Bot, group: &Group, first: NaiveDate) -> Result<u64, Fault> {
    let first = shanghai_instant(first, NaiveTime::MIN);
    let may_have_arrived = Condition::all()
        .add(Column::State.is_in([MessageState::Departed, MessageState::Unknown]))
        .add(Column::NotBefore.gte(first));
    Ok(Entity::find()
        .filter(Column::RecipientId.eq(group.id.0))
        .filter(Condition::any().add(Column::SentAt.gte(first)).add(may_have_arrived))
        .count(bot.store.reader())
        .await?)
}

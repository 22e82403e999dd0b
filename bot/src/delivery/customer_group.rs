//! A group with outside WeChat users: WeCom takes the post as a task, which the person who looks after the group confirms on
//! his phone with one tap. Until then the message is handed over; what became of it is asked back.

use chrono::{Datelike as _, Months, NaiveDate, NaiveTime};
use qingfeng_core::{
    clock::{shanghai_date, shanghai_instant},
    groups::{
        RobotKey,
        entity::Model as Group,
        tasks::{self, End, NewTask, Next, TaskState, entity::Model as Task},
    },
    ids::StaffId,
    outbox::{
        MessageState,
        entity::{Column, Entity, Model as Message},
    },
    people::phones,
    refusal::Fault,
};

use sea_orm::{ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter};

use super::{Outcome, QUIET_UNTIL, Round, claim, prepare};
use crate::{
    Bot,
    channels::{LONGEST_GROUP_TEXT, WeComApp, plain_words},
    messages::{self, Wordings, within_bytes},
};

/// A group takes as many messages a month as the month has days; what comes on top is lost without a word.
const A_MONTH: u64 = 28;

/// Makes the task; none = it is with a person now. `chat` holds the group's id at WeCom in the place of a robot's key.
pub(super) async fn post(
    bot: &Bot,
    wordings: &Wordings,
    group: &Group,
    chat: &RobotKey,
    message: &Message,
) -> Result<Option<Outcome>, Fault> {
    let Some(app) = &bot.channels.wecom_app else {
        return Ok(Some(Outcome::Final("没有配置企业微信应用".into())));
    };
    let Some((keeper, sender)) = keeper_at_wecom(bot, group).await? else {
        return Ok(Some(Outcome::Final("这个客户群没有绑定了企业微信的转发人，请指定".into())));
    };
    let today = shanghai_date(bot.store.clock().now());
    let first = today.with_day(1).unwrap_or(today);
    if sent_since(bot, group, first).await? >= A_MONTH {
        let morning = NaiveTime::from_hms_opt(QUIET_UNTIL, 0, 0).expect("an hour of the day");
        let until = shanghai_instant(first + Months::new(1), morning);
        return Ok(Some(Outcome::Waits { until, reason: "这个客户群本月的发送次数已满".into() }));
    }
    let text = within_bytes(&plain_words(&messages::post(message, wordings)), LONGEST_GROUP_TEXT);
    if !claim::depart(bot, std::slice::from_ref(message)).await? {
        return Ok(Some(claim::taken_over(bot)));
    }
    let platform_task = match app.customer_group_task(&sender, &chat.token, &text).await {
        Outcome::Taken(Some(task)) => task,
        // Without its name nobody can ask what became of it.
        Outcome::Taken(None) => {
            return Ok(Some(Outcome::Unknown("企业微信没有给群发任务编号，不知道是否发出".into())));
        }
        outcome => return Ok(Some(outcome)),
    };
    let new = NewTask {
        message: message.id,
        keeper,
        sender,
        platform_task: platform_task.clone(),
        may_have_arrived: message.may_have_arrived,
    };
    let (holder, group) = (bot.holder.clone(), group.clone());
    let handed_over = bot
        .store
        .housekeeping(move |unit| Box::pin(async move { tasks::hand_over(unit, &holder, &group, new).await }))
        .await?;
    if !handed_over {
        let outcome = app.stop_group_task(&platform_task).await;
        tracing::warn!(?outcome, "a post was decided on while its task was made: the task is stopped");
        return Ok(Some(claim::taken_over(bot)));
    }
    Ok(None)
}

/// Who is to tap, and the name at WeCom.
async fn keeper_at_wecom(bot: &Bot, group: &Group) -> Result<Option<(StaffId, String)>, Fault> {
    let Some(keeper) = prepare::keeper(bot, group).await? else { return Ok(None) };
    Ok(phones::wecom_user_id(bot.store.reader(), keeper).await?.map(|sender| (keeper, sender)))
}

/// Asks what became of the tasks that are due to be looked at. Disturbs nobody, so it goes on at night.
pub(super) async fn look(bot: &Bot, round: &Round) -> Result<(), Fault> {
    let Some(app) = &bot.channels.wecom_app else { return Ok(()) };
    for task in tasks::claim(&bot.store).await? {
        // The others come up again after a while.
        if round.is_long_at(bot.store.clock().now()) {
            break;
        }
        // One task's trouble is not the others': it comes up again.
        if let Err(fault) = look_at(bot, app, task).await {
            tracing::error!(%fault, "a task into a customer group could not be looked after");
        }
    }
    Ok(())
}

async fn look_at(bot: &Bot, app: &WeComApp, task: Task) -> Result<(), Fault> {
    let standing = app.group_task_standing(&task.platform_task, &task.sender).await;
    let end = match tasks::next(&task, standing.clone(), bot.store.clock().now()) {
        Next::LookAgain(at) => {
            return bot
                .store
                .housekeeping(move |unit| {
                    Box::pin(async move { tasks::keep_waiting(unit, &task, at, &standing).await })
                })
                .await;
        }
        Next::Posted => End::Posted,
        Next::NotPosted(reason) => End::NotPosted(reason),
        Next::Stop => match app.stop_group_task(&task.platform_task).await {
            Outcome::Taken(_) => End::NotPosted("转发人一直没有在企业微信里点发送，已停止".into()),
            Outcome::Final(reason) | Outcome::Dead(reason) | Outcome::NoConsent(reason) => {
                End::Unknown(if task.state == TaskState::Withdrawing {
                    format!("已撤回，但企业微信停不下来，请转发人不要点发送；发出了会自动更正：{reason}")
                } else {
                    format!("转发人一直没有点发送，也停不下来，可能还会发出：{reason}")
                })
            }
            // It comes up again soon.
            Outcome::Later { .. }
            | Outcome::Waits { .. }
            | Outcome::Stopped(_)
            | Outcome::Repeatable { .. }
            | Outcome::Unknown(_) => return Ok(()),
        },
    };
    bot.store.housekeeping(move |unit| Box::pin(async move { tasks::end(unit, &task, end).await })).await
}

/// The posts that this group had since that day, may have had, or gets when somebody taps.
async fn sent_since(bot: &Bot, group: &Group, first: NaiveDate) -> Result<u64, Fault> {
    let first = shanghai_instant(first, NaiveTime::MIN);
    let may_have_arrived = Condition::all()
        .add(Column::State.is_in([MessageState::Departed, MessageState::Unknown]))
        .add(Column::NotBefore.gte(first));
    let may_be_tapped = Column::State.eq(MessageState::HandedOver);
    Ok(Entity::find()
        .filter(Column::RecipientId.eq(group.id.0))
        .filter(Condition::any().add(Column::SentAt.gte(first)).add(may_have_arrived).add(may_be_tapped))
        .count(bot.store.reader())
        .await?)
}

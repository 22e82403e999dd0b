//! Talking with residents in the chat of the official account (6.3): help, how my complaint stands, no more messages,
//! answering a survey.
//!
//! Nothing that anybody writes is stored. A conversation's state lives in the cache for half an hour. Whatever comes is
//! answered with what can be done next.

mod answers;
mod at_wecom;
mod opinion;
mod push;
mod subscriptions;
mod survey;
mod taps;
mod tasks;
mod wish;

use std::{sync::Arc, time::Duration};

use qingfeng_core::{
    cache::Cache,
    clock::shanghai,
    complaints::{
        State,
        queries::{self, Filter},
    },
    outbox::opt_outs,
    people::{
        self, Actor, Resident,
        entity::{resident_logins, staff},
    },
    refusal::Fault,
    storage::Store,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

pub use push::{Item, LONGEST_PUSH, Push, Signature};
pub(crate) use tasks::{Key, Task};
use wish::Wish;

use crate::callbacks;

/// Longer than the platform delivers one push again and again.
const REMEMBERED: Duration = Duration::from_secs(600);

/// What the platform takes for "handled, nothing to say".
const HANDLED: &str = "success";

/// Why a push is not taken.
#[derive(Debug, thiserror::Error)]
pub enum PushFault {
    #[error("the signature is not the platform's")]
    Forged,
    #[error("this is not a message of the platform")]
    Unreadable,
    #[error(transparent)]
    Unavailable(#[from] Fault),
}

/// Who writes: residents to the official account, staff to the application at WeCom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    Resident,
    Staff,
}

/// Answers what people write to us.
#[derive(Clone)]
pub struct Conversations {
    store: Store,
    cache: Arc<dyn Cache>,
    /// Address under which people reach the app.
    public_url: String,
}

impl Conversations {
    #[must_use]
    pub fn new(store: Store, cache: Arc<dyn Cache>, public_url: String) -> Self {
        Self { store, cache, public_url }
    }

    /// Takes what a platform pushed, its signature checked and its encryption opened; gives the body of the answer. The
    /// same push delivered again gets the same answer and does nothing again.
    ///
    /// # Errors
    /// When it is not readable, or something of ours does not answer: then it is delivered again.
    pub async fn take(&self, speaker: Speaker, body: &[u8]) -> Result<String, PushFault> {
        let push = Push::parse(body).ok_or(PushFault::Unreadable)?;
        let key = format!("push:{}", push.digest());
        if !self.cache.set_if_absent(&key, HANDLED.as_bytes(), REMEMBERED).await? {
            let said = self.cache.get(&key).await?;
            return Ok(said.and_then(|said| String::from_utf8(said).ok()).unwrap_or_else(|| HANDLED.into()));
        }
        match self.answer(speaker, &push).await {
            Ok(answer) => {
                self.cache.set(&key, answer.as_bytes(), REMEMBERED).await?;
                Ok(answer)
            }
            Err(fault) => {
                self.cache.remove(&key).await?;
                Err(fault.into())
            }
        }
    }

    async fn answer(&self, speaker: Speaker, push: &Push) -> Result<String, Fault> {
        let text = match (push.kind.as_str(), push.event.as_str()) {
            ("event", event) if event != "subscribe" => {
                callbacks::enqueue(&self.store, &*self.cache, push).await?;
                return Ok(HANDLED.into());
            }
            ("text", _) if speaker == Speaker::Staff => at_wecom::reply(self, &push.from, &push.content).await?,
            _ if speaker == Speaker::Staff => {
                "我只看得懂文字。发“待办”看快到期的事，照片请在工作台打开“清风”上传。".into()
            }
            ("text", _) => self.reply(&push.from, &push.content).await?,
            ("event", "subscribe") => HELP.to_owned(),
            _ => format!("我只看得懂文字。照片请在小程序“我要反映”里上传。\n{HELP}"),
        };
        Ok(push.answer(&text, self.store.clock().now()))
    }

    async fn reply(&self, open_id: &str, text: &str) -> Result<String, Fault> {
        let wish = Wish::of(text);
        // Before anything else, and for everybody: nothing of it may be kept anywhere.
        if wish == Wish::Report {
            return Ok(REPORT.into());
        }
        if opinion::is_about_an_office_holder(text) {
            return Ok(self.not_here());
        }
        let login = resident_logins::Entity::find_by_id(open_id.to_owned()).one(self.store.reader()).await?;
        let resident = match login {
            Some(login) => people::load_resident(&self.store, login.resident_id).await?,
            None => None,
        };
        let Some(resident) = resident else { return self.reply_to_others(open_id).await };
        if let Some(reply) = survey::go_on(self, &resident, &wish, text).await? {
            return Ok(reply);
        }
        Ok(match wish {
            Wish::OptOut => {
                opt_outs::opt_out(&self.store, resident.county, resident.id).await?;
                "已退订，不再给您发通知。您反映的事照常办理，发“进度”随时能查；发“订阅”恢复通知。".into()
            }
            Wish::OptIn => {
                opt_outs::opt_in(&self.store, resident.id).await?;
                "已恢复通知。您反映的事有进展就告诉您；发“退订”随时停止。".into()
            }
            Wish::MyComplaints => self.my_complaints(resident).await?,
            Wish::Complaint(number) => self.complaint(resident, &number).await?,
            Wish::Help => HELP.into(),
            Wish::Cancel => format!("好的。\n{HELP}"),
            _ => format!("没看懂您的意思。要反映问题请打开小程序“我要反映”，能写经过、传照片、查进度。\n{HELP}"),
        })
    }

    /// The answer to what looks like a rating of a person: nothing of it is repeated.
    fn not_here(&self) -> String {
        format!(
            "这像是对人的评价，聊天里不收：您写的我们没有保存，也请您删掉这条聊天。\n评价干部请打开小程序“背靠背测评”，答之前先告诉您保护到哪一步：{}",
            self.sealed_surveys()
        )
    }

    /// Surveys about persons: the link only.
    fn leads_to(&self, titles: &[String]) -> String {
        let titles: Vec<String> = titles.iter().take(3).map(|title| format!("《{title}》")).collect();
        format!("正在进行：{}。只在小程序“背靠背测评”里答，不要写在聊天里：{}", titles.concat(), self.sealed_surveys())
    }

    fn sealed_surveys(&self) -> String {
        format!("{}/app/#/pages/sealed-surveys/list", self.public_url)
    }

    async fn reply_to_others(&self, open_id: &str) -> Result<String, Fault> {
        let staff = staff::Entity::find().filter(staff::Column::OpenId.eq(open_id)).one(self.store.reader()).await?;
        Ok(match staff {
            Some(_) => "您用的是工作人员的微信：待办请在小程序“待办”里处理，这里只答群众。".into(),
            None => format!("还不知道您是哪个村的。请先打开小程序登录，用村里给的邀请码绑定。\n{HELP}"),
        })
    }

    async fn my_complaints(&self, resident: Resident) -> Result<String, Fault> {
        let own = queries::list(&self.store, &Actor::Resident(resident), Filter::default()).await?;
        if own.is_empty() {
            return Ok("您还没有反映过问题。要反映请打开小程序“我要反映”。".into());
        }
        let mut lines: Vec<_> = own
            .iter()
            .take(5)
            .map(|complaint| {
                let title: String = complaint.title.chars().take(12).collect();
                format!("{} {title}：{}", complaint.number, standing(complaint.state))
            })
            .collect();
        lines.push("发编号看一件，详情和评价在小程序“我的诉求”。".into());
        Ok(lines.join("\n"))
    }

    async fn complaint(&self, resident: Resident, number: &str) -> Result<String, Fault> {
        // Another's number is answered like one that does not exist.
        Ok(match queries::by_number(&self.store, &Actor::Resident(resident), number).await? {
            Some(complaint) => {
                let day = complaint.changed_at.with_timezone(&shanghai()).format("%-m月%-d日");
                format!(
                    "{} {}\n现在：{}（{day}更新，第{}轮）\n详情和评价在小程序“我的诉求”。",
                    complaint.number,
                    complaint.title,
                    standing(complaint.state),
                    complaint.round
                )
            }
            None => "您名下没有这个编号。发“进度”看您反映过的事；纸质回执请在小程序“凭回执查询”里查。".into(),
        })
    }
}

const HELP: &str = "可以发：\n“进度” 看您反映的事办到哪一步\n“问卷” 答村里的问卷、看正在进行的测评\n“退订”／“订阅” 停止或恢复通知\n反映问题请打开小程序“我要反映”。";

const REPORT: &str = "这像是检举干部违纪违法。这里不安全，您写的内容我们没有保存，请您也删掉这条聊天。\n请走加密举报通道，或拨打12388向纪检监察机关反映。\n反映修路、用水这类事情，请打开小程序“我要反映”。";

/// Does what an event asks for.
pub(crate) async fn work_on_event(store: &Store, cache: &dyn Cache, push: &Push) -> Result<(), Fault> {
    if push.event == "template_card_event" {
        return taps::take(store, cache, push).await;
    }
    subscriptions::take(store, push).await
}

/// A complaint's state in words for the person who brought it up.
fn standing(state: State) -> &'static str {
    match state {
        State::Registered => "已登记，等待分类",
        State::Classified => "已分类，等待交办",
        State::Dispatched => "已交办，等待承办单位受理",
        State::Working => "正在办理",
        State::Answered => "已有答复，请您评价",
        State::Rated => "您已评价，等待办结",
        State::Reopened => "群众不满意，正在重新安排",
        State::Parked => "暂时办不了，已挂账",
        State::ParkedUnsatisfied => "有人不满意，已公开挂账，随时可以再评价",
        State::Closed => "已办结",
        State::Merged => "已与同一件事合并办理",
        State::NotAccepted => "不予受理，请看说明",
        State::Withdrawn => "您已撤回",
    }
}

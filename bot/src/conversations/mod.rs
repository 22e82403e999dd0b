//! Talking with residents in the chat of the official account and in the mini-program's customer service (6.3): help, filing a
//! complaint, how it stands, no more messages, answering a survey. With staff at WeCom: what waits for them.
//!
//! Nothing that anybody writes is stored but what is filed. A conversation's state lives in the cache for half an hour.
//! Whatever comes is answered with what can be done next.

mod answers;
mod at_robot;
mod at_wecom;
mod customer_service;
mod filing;
mod grading;
mod menus;
mod open_questions;
mod opinion;
mod push;
mod robot;
mod standing;
mod subscriptions;
mod survey;
mod suspicion;
mod taps;
mod tasks;
mod turn;
mod whose;
mod wish;

use std::{sync::Arc, time::Duration};

use qingfeng_core::{
    cache::Cache,
    evidence::{MediaKind, PlatformMedia},
    outbox::opt_outs,
    people::PaperCodes,
    refusal::Fault,
    reports,
    sealing::Sealer,
    storage::Store,
};
use tokio::time::Instant;

use filing::{Kept, Sent, Writer};
pub use menus::{menu, staff_menu};
pub use push::{Item, LONGEST_PUSH, Push, Signature};
pub(crate) use tasks::{Key, Task, card_name};
use turn::Turn;
use wish::Wish;

use crate::{callbacks, channels::WeChatAccounts, messages::within_bytes};

/// Longer than the platform delivers one push again and again.
const REMEMBERED: Duration = Duration::from_secs(600);
/// Who works on a push longer than this has died over it: the next delivery is worked on anew. Longer than the platform waits.
const AT_WORK: Duration = Duration::from_secs(8);
/// What stands in the cache for a push as long as it is being answered.
const BEING_ANSWERED: &[u8] = b"being answered";
/// Shorter than the platforms wait.
const PATIENCE: Duration = Duration::from_millis(4500);

/// Whoever opens the chat again is not greeted again before this.
const GREETED_AGAIN_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// What the last answer is sealed as.
const ANSWER: &str = "chat answer";

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

/// Who writes, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// A resident to the official account, which takes the answer to a push for its own.
    OfficialAccount,
    /// A resident to the mini-program's customer service.
    MiniProgram,
    /// A member of staff to the application at WeCom.
    Staff,
}

/// Answers what people write to us.
#[derive(Clone)]
pub struct Conversations {
    pub store: Store,
    pub cache: Arc<dyn Cache>,
    /// Seals what somebody has not filed yet.
    pub sealer: Sealer,
    pub paper_codes: PaperCodes,
    /// With which the mini-program's customer service is answered, and the platform asked who writes.
    pub accounts: Arc<WeChatAccounts>,
    /// Address under which people reach the app.
    pub public_url: String,
}

impl Conversations {
    /// Takes what a platform pushed, its signature checked and its encryption opened; gives the body of the answer. The
    /// same push delivered again gets the same answer and does nothing again.
    ///
    /// # Errors
    /// When it is not readable, or something of ours does not answer: then it is delivered again.
    pub async fn take(&self, speaker: Speaker, body: &[u8]) -> Result<String, PushFault> {
        let by = deadline();
        let mut push = Push::parse(body).ok_or(PushFault::Unreadable)?;
        // What an application at WeCom is told can do what a member of staff may do: only WeCom says for which it is.
        match speaker {
            Speaker::OfficialAccount | Speaker::MiniProgram => push.agent_id.clear(),
            Speaker::Staff if push.agent_id.is_empty() => return Err(PushFault::Unreadable),
            Speaker::Staff => {}
        }
        if push.is_for_later() {
            // Written down at once, and known again there: nothing is kept of it here that could outlive a failure.
            let written = callbacks::enqueue(&self.store, &*self.cache, &self.sealer, &push);
            in_time(by, written).await?;
            return Ok(HANDLED.into());
        }
        let said = self.answered(speaker, &push, by).await?;
        match speaker {
            Speaker::MiniProgram => self.say(&push, &said, by).await,
            Speaker::OfficialAccount | Speaker::Staff => Ok(said),
        }
    }

    /// What to say to a push; to one that was here before, the same.
    async fn answered(&self, speaker: Speaker, push: &Push, by: Instant) -> Result<String, PushFault> {
        let digest = push.digest();
        let key = self.sealer.pseudonym("push", &digest);
        if !self.cache.set_if_absent(&key, BEING_ANSWERED, AT_WORK).await? {
            return self.answered_before(&key, &push.from, &digest).await;
        }
        match in_time(by, self.answer(speaker, push)).await {
            Ok(answer) => {
                self.cache.set(&key, HANDLED.as_bytes(), REMEMBERED).await?;
                if answer != HANDLED {
                    self.remember(&push.from, &digest, &answer).await?;
                }
                Ok(answer)
            }
            Err(fault) => {
                self.cache.remove(&key).await?;
                Err(fault.into())
            }
        }
    }

    /// What to say to a push that was here before. One that is being answered right now is not taken yet: whoever delivers it
    /// again must not be told that it is handled, because that can still fail.
    async fn answered_before(&self, key: &str, from: &str, digest: &str) -> Result<String, PushFault> {
        if self.cache.get(key).await?.is_none_or(|state| state == BEING_ANSWERED) {
            return Err(Fault::unavailable("this push is being answered").into());
        }
        Ok(self.said_last(from, digest).await?.unwrap_or_else(|| HANDLED.into()))
    }

    /// What a person was told last, sealed: it may repeat what she wrote. The next answer takes its place.
    async fn remember(&self, person: &str, digest: &str, answer: &str) -> Result<(), Fault> {
        let sealed = self.sealer.seal(ANSWER, format!("{digest} {answer}").as_bytes(), self.store.randomness());
        self.cache.set(&self.sealer.pseudonym("said", person), &sealed, REMEMBERED).await
    }

    /// What was said to this very push, if nothing was said since.
    async fn said_last(&self, person: &str, digest: &str) -> Result<Option<String>, Fault> {
        let sealed = self.cache.get(&self.sealer.pseudonym("said", person)).await?;
        let open = sealed.and_then(|sealed| self.sealer.open(ANSWER, &sealed).ok());
        let said = open.and_then(|open| String::from_utf8(open).ok());
        Ok(said.and_then(|said| said.strip_prefix(digest)?.strip_prefix(' ').map(str::to_owned)))
    }

    async fn answer(&self, speaker: Speaker, push: &Push) -> Result<String, Fault> {
        let text = match (push.kind.as_str(), push.event.as_str()) {
            ("event", "subscribe") if speaker == Speaker::Staff => at_wecom::HELP.to_owned(),
            ("event", "subscribe") => format!("您好，这里能反映问题、查进度。\n{HELP}"),
            ("event", "CLICK" | "click") if speaker != Speaker::Staff => {
                let wish = Wish::of_button(&push.event_key);
                self.in_turn(push, async || self.reply(speaker, push, &wish, "").await).await?
            }
            ("event", "CLICK" | "click") => {
                at_wecom::reply(self, &push.from, menus::words_of_staff_button(&push.event_key)).await?
            }
            ("event", "user_enter_tempsession") if speaker == Speaker::MiniProgram => {
                if !self.is_first_today(push).await? {
                    return Ok(HANDLED.into());
                }
                format!("您好，这里能反映问题、查进度。\n{HELP}")
            }
            ("event", "enter_agent") if speaker == Speaker::Staff => {
                if !self.is_first_today(push).await? {
                    return Ok(HANDLED.into());
                }
                at_wecom::HELP.into()
            }
            ("event", _) => return Ok(HANDLED.into()),
            ("text", _) if speaker == Speaker::Staff => at_wecom::reply(self, &push.from, &push.content).await?,
            _ if speaker == Speaker::Staff => {
                "我只看得懂文字。发“待办”看快到期的事，照片请在工作台打开“清风”上传。".into()
            }
            ("text", _) => {
                let wish = Wish::of(&push.content);
                self.in_turn(push, async || self.reply(speaker, push, &wish, &push.content).await).await?
            }
            ("image" | "voice" | "location", _) => {
                self.in_turn(push, async || self.take_in(speaker, push).await).await?
            }
            _ => format!("这种消息我看不懂。可以发文字、照片、语音和位置。\n{HELP}"),
        };
        let text = within_bytes(&text, LONGEST_ANSWER);
        Ok(match speaker {
            Speaker::MiniProgram => text,
            Speaker::OfficialAccount | Speaker::Staff => push.answer(&text, self.store.clock().now()),
        })
    }

    /// Whoever opens the chat is greeted once a day.
    async fn is_first_today(&self, push: &Push) -> Result<bool, Fault> {
        let greeted = self.sealer.pseudonym("greeted", &push.from);
        self.cache.set_if_absent(&greeted, b"1", GREETED_AGAIN_AFTER).await
    }

    /// One push of a person after the other: nine photos arrive at the same moment.
    async fn in_turn(&self, push: &Push, reply: impl AsyncFnOnce() -> Result<String, Fault>) -> Result<String, Fault> {
        let name = self.sealer.pseudonym("chat", &push.from);
        let turn = Turn::take(&*self.cache, name, self.store.randomness()).await?;
        let said = reply().await;
        turn.give_back().await?;
        said
    }

    async fn reply(&self, speaker: Speaker, push: &Push, wish: &Wish, text: &str) -> Result<String, Fault> {
        // Before anything else, and for everybody: nothing of it may be kept anywhere, nor of what stood before it.
        if *wish == Wish::Report {
            return self.led_to_the_sealed_way(&push.from).await;
        }
        let kept = filing::kept(self, &push.from).await?;
        if opinion::is_about_an_office_holder(text) {
            return Ok(self.not_here_beside(&kept));
        }
        if let Wish::Receipt(code) = wish {
            return standing::of_receipt(self, &push.from, code).await;
        }
        let Some(resident) = self.resident(speaker, &push.from).await? else {
            if suspicion::may_be_a_report(text) {
                return self.led_to_the_sealed_way(&push.from).await;
            }
            return self.reply_to_others(speaker, push, wish).await;
        };
        let known = opinion::known(&self.store, &resident).await?;
        // By the name of somebody in office, too.
        if suspicion::is_report(text, &known.in_office) {
            return self.led_to_the_sealed_way(&push.from).await;
        }
        let is_writing = kept.is_open();
        let progress = if is_writing { None } else { survey::progress(self, &resident).await? };
        let in_words = survey::choice_in_words(self, &resident, progress.as_ref(), wish, text).await?;
        let wish = in_words.as_ref().unwrap_or(wish);
        let expects_a_number = kept.expects_a_number() || progress.is_some();
        if opinion::belongs_elsewhere(&known, wish, text, expects_a_number) {
            return Ok(self.not_here_beside(&kept));
        }
        let writer = Writer { resident: &resident, open_id: &push.from, push: push.digest(), known: &known };
        match kept {
            Kept::Open(draft) => {
                if let Some(said) = filing::go_on(self, &writer, draft, wish, text).await? {
                    return Ok(said);
                }
            }
            Kept::Lapsed => {
                if let Some(said) = filing::lapsed(self, &writer, wish, text).await? {
                    return Ok(said);
                }
            }
            Kept::None => {}
        }
        if *wish == Wish::File {
            survey::forget(self, &resident).await?;
            return filing::begin(self, &writer).await;
        }
        if !is_writing && let Some(said) = survey::go_on(self, &resident, wish, text, progress, &known).await? {
            return Ok(said);
        }
        let said = self.told(&writer, wish, text).await?;
        Ok(if is_writing {
            format!("{said}\n（您的诉求还没提交，可以接着写；不写了发“取消”。）")
        } else {
            said
        })
    }

    async fn told(&self, writer: &Writer<'_>, wish: &Wish, text: &str) -> Result<String, Fault> {
        let resident = writer.resident;
        Ok(match wish {
            Wish::OptOut => {
                opt_outs::opt_out(&self.store, resident.county, resident.id).await?;
                "已退订，不再给您发通知。您反映的事照常办理，发“进度”随时能查；发“订阅”恢复通知。".into()
            }
            Wish::OptIn => {
                opt_outs::opt_in(&self.store, resident.id).await?;
                "已恢复通知。您反映的事有进展就告诉您；发“退订”随时停止。".into()
            }
            Wish::MyComplaints => standing::of_own(self, resident).await?,
            Wish::Complaint(number) => standing::of_complaint(self, resident, number).await?,
            Wish::Item(number) => standing::of_item(self, resident.county, number).await?,
            Wish::Board => self.board(),
            Wish::Help => HELP.into(),
            Wish::Cancel => format!("好的。\n{HELP}"),
            Wish::Courtesy => format!("不客气。\n{HELP}"),
            Wish::Other => match filing::offer(self, writer, text).await? {
                Some(offered) => offered,
                None => format!("没看懂您的意思。\n{HELP}"),
            },
            _ => format!("没看懂您的意思。\n{HELP}"),
        })
    }

    /// Photos, voice notes and places.
    async fn take_in(&self, speaker: Speaker, push: &Push) -> Result<String, Fault> {
        let words = [&push.content, &push.recognition].map(String::as_str).join("\n");
        if suspicion::is_report(&words, &[]) {
            return self.led_to_the_sealed_way(&push.from).await;
        }
        if opinion::is_about_an_office_holder(&words) {
            return Ok(self.not_here());
        }
        let Some(resident) = self.resident(speaker, &push.from).await? else {
            if suspicion::may_be_a_report(&words) {
                return self.led_to_the_sealed_way(&push.from).await;
            }
            return self.reply_to_others(speaker, push, &Wish::Other).await;
        };
        let known = opinion::known(&self.store, &resident).await?;
        if suspicion::is_report(&words, &known.in_office) {
            return self.led_to_the_sealed_way(&push.from).await;
        }
        let heard = &push.recognition;
        if !heard.is_empty() && opinion::belongs_elsewhere(&known, &Wish::Other, heard, false) {
            return Ok(self.not_here());
        }
        let media = |kind| PlatformMedia {
            kind,
            reference: push.media_id.clone(),
            app_id: self.account(speaker).map_or_else(String::new, |account| account.app_id().to_owned()),
            received_at: self.store.clock().now(),
        };
        let sent = match push.kind.as_str() {
            "location" => Sent::Location(&push.label),
            _ if push.media_id.is_empty() => return Ok("没有收到，请再发一次。".into()),
            "voice" => Sent::Media(media(MediaKind::Voice), heard),
            _ => Sent::Media(media(MediaKind::Photo), ""),
        };
        let kept = filing::kept(self, &push.from).await?;
        let writer = Writer { resident: &resident, open_id: &push.from, push: push.digest(), known: &known };
        filing::take(self, &writer, kept, sent).await
    }

    /// What sounds like a report: nothing of it is kept, nor of a draft in whose middle it came.
    async fn led_to_the_sealed_way(&self, open_id: &str) -> Result<String, Fault> {
        filing::forget(self, open_id).await?;
        self.report("，写到一半的诉求也删掉了").await
    }

    /// The answer to what sounds like a report, and what else is gone with it.
    async fn report(&self, also_gone: &str) -> Result<String, Fault> {
        Ok(format!(
            "这像是检举干部违纪违法。这里不安全，您写的内容我们没有保存{also_gone}，请您也删掉这条聊天。\n{}\n反映修路、用水这类事情，发“反映”。",
            self.sealed_way().await?
        ))
    }

    /// Where reports go. The form is for everybody, and who asks does not matter: its address says nothing about who was led to it.
    async fn sealed_way(&self) -> Result<String, Fault> {
        let form = if reports::can_be_received(&self.store).await? {
            format!(
                "请用手机浏览器打开加密举报页（不用登录，在手机上加密，只有纪委能打开）：{}/app/#/pages/reports/index\n也可以",
                self.public_url
            )
        } else {
            "请".to_owned()
        };
        Ok(format!("{form}走纪检监察机关举报网站 https://www.12388.gov.cn ，或拨打12388。"))
    }

    /// The answer to what looks like a rating of a person: nothing of it is repeated.
    fn not_here(&self) -> String {
        format!(
            "这像是对人的评价，聊天里不收：您写的我们没有保存，也请您删掉这条聊天。\n评价干部请打开小程序“背靠背测评”，答之前先告诉您保护到哪一步：{}\n要反映一件事，发“反映”，只写事，不评人；或打开小程序“我要反映”。",
            self.sealed_surveys()
        )
    }

    /// The same to somebody who may be in the middle of a draft, of which it is no part.
    fn not_here_beside(&self, kept: &Kept) -> String {
        let draft = if kept.is_open() { "\n您写到一半的诉求还在，可以接着写。" } else { "" };
        format!("{}{draft}", self.not_here())
    }

    /// Surveys about persons: the link only.
    fn leads_to(&self, titles: &[String]) -> String {
        let titles: Vec<String> = titles.iter().take(3).map(|title| format!("《{title}》")).collect();
        format!("正在进行：{}。只在小程序“背靠背测评”里答，不要写在聊天里：{}", titles.concat(), self.sealed_surveys())
    }

    fn sealed_surveys(&self) -> String {
        format!("{}/app/#/pages/sealed-surveys/list", self.public_url)
    }

    fn board(&self) -> String {
        format!("公示栏（谁都能看）：{}/app/#/pages/board/townships", self.public_url)
    }
}

/// Longest answer in a chat, in bytes.
const LONGEST_ANSWER: usize = 2048;

const HELP: &str = "可以发：\n“反映” 说一件事，能写字、拍照、说语音\n“进度” 看您反映的事办到哪一步\n编号或回执码 看一件\n“问卷” 答村里的问卷、看正在进行的测评\n“公示” 看村里在办的事\n“退订”／“订阅” 停止或恢复通知";

/// By when a push that arrives now has to be answered: the platforms wait five seconds, and then deliver again.
fn deadline() -> Instant {
    Instant::now() + PATIENCE
}

async fn in_time<T>(by: Instant, work: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    let ended = tokio::time::timeout_at(by, work).await;
    ended.unwrap_or_else(|_| Err(Fault::unavailable("a push could not be answered in time")))
}

/// Does what an event asks for.
pub(crate) async fn work_on_event(store: &Store, cache: &dyn Cache, sealer: &Sealer, push: &Push) -> Result<(), Fault> {
    // Whose agent is not named has come from WeChat, where nobody is a member of staff.
    if push.event == "template_card_event" && !push.agent_id.is_empty() {
        return taps::take(taps::Desk { store, cache, sealer }, push).await;
    }
    subscriptions::take(store, push).await
}

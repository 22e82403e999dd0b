//! Whose chat it is. In the mini-program's customer service the platform names people as the sign-in does. The official account
//! knows them by other openids: the ledger of links tells whose they are, the platform may tell by a union id, and else
//! whoever writes gets a link with which to make the chat his own.

use std::time::Duration;

use chrono::TimeDelta;
use qingfeng_core::{
    ids::ResidentId,
    people::{
        self, PersonKind, Resident,
        account_links::{self, AccountIdentity},
        phones,
        sessions::Person,
        sign_in,
    },
    refusal::Fault,
};

use super::{Conversations, HELP, Push, Speaker, Wish};
use crate::channels::WeChatAccount;

/// How often the platform is asked who somebody is whom nobody knows.
const ASKED_AGAIN_AFTER: Duration = Duration::from_secs(60);
/// The person waits for the answer meanwhile.
const PATIENCE_TO_ASK: Duration = Duration::from_secs(2);
/// And as long, at most, for a link: both together leave time before the platform waits no longer.
const PATIENCE_FOR_LINK: Duration = Duration::from_secs(1);
/// Where the mini-program makes a chat the person's own.
const LINKING_PAGE: &str = "pages/account-links/index";
const HOME_PAGE: &str = "pages/home/index";
/// As long as the code of a chat. A link of the platform has to last for more than a minute.
const LINK_LASTS: TimeDelta = TimeDelta::minutes(30);
/// To staff.
const DESK: &str = "您用的是工作人员的微信：待办请在小程序“待办”里处理，这里只答群众。";
/// Beside a link with a code.
const CAREFUL: &str = "这个链接半小时内有效，只能用一次，别转给别人。";

impl Conversations {
    /// The resident who writes.
    pub(super) async fn resident(&self, speaker: Speaker, open_id: &str) -> Result<Option<Resident>, Fault> {
        let person = match speaker {
            Speaker::MiniProgram => sign_in::resident_of(&self.store, open_id).await?,
            Speaker::OfficialAccount => {
                self.linked(open_id).await?.into_iter().find(|person| person.kind == PersonKind::Resident)
            }
            Speaker::Staff => None,
        };
        match person {
            Some(person) => people::load_resident(&self.store, ResidentId(person.id)).await,
            None => Ok(None),
        }
    }

    /// To which of our accounts somebody writes; none for staff at WeCom.
    pub(super) fn account(&self, speaker: Speaker) -> Option<&WeChatAccount> {
        match speaker {
            Speaker::MiniProgram => Some(&self.accounts.mini_program),
            Speaker::OfficialAccount => self.accounts.official.as_ref(),
            Speaker::Staff => None,
        }
    }

    /// What to say to somebody who is no resident as far as we know: never without what can be done next.
    pub(super) async fn reply_to_others(&self, speaker: Speaker, push: &Push, wish: &Wish) -> Result<String, Fault> {
        if *wish == Wish::Board {
            return Ok(self.board());
        }
        let of_staff = self.is_of_staff(speaker, &push.from).await?;
        let Some(identity) = self.identity(speaker, &push.from) else {
            let sign_in = self.opens(HOME_PAGE, "").await;
            return Ok(if of_staff {
                format!("{DESK}\n您也是村民的：退出登录，再用村里给的邀请码登录，就能在这里反映自己的事：{sign_in}")
            } else {
                format!(
                    "还不知道您是哪个村的，您发的没有保存。请先打开小程序登录，用村里给的邀请码绑定：{sign_in}\n绑定以后：\n{HELP}"
                )
            });
        };
        let code = account_links::issue_code(&self.store, &*self.cache, &self.sealer, &identity).await?;
        let link = self.opens(LINKING_PAGE, &format!("code={code}")).await;
        Ok(if of_staff {
            format!(
                "{DESK}\n您也是村民的：用村民的身份登录（在干部的身份里先退出），再点这里认下这个聊天：{link}\n{CAREFUL}"
            )
        } else {
            format!(
                "还不知道您是哪个村的，您发的没有保存。绑定一次就行，点这里打开小程序，认下这个聊天：{link}\n还没有登录过的，会先请您输入村里给的邀请码。\n{CAREFUL}\n绑定以后：\n{HELP}"
            )
        })
    }

    /// An address that opens a page of the mini-program, where the person is signed in or can be bound. When the platform gives
    /// none in time, the same page in a browser, where an invitation can be used, too.
    async fn opens(&self, page: &str, query: &str) -> String {
        let until = self.store.clock().now() + LINK_LASTS;
        let link = self.accounts.mini_program.url_link(page, query, until);
        match tokio::time::timeout(PATIENCE_FOR_LINK, link).await {
            Ok(Ok(link)) => return link,
            Ok(Err(outcome)) => tracing::warn!(?outcome, "the platform gives no link into the mini-program"),
            Err(_) => tracing::warn!("the platform gives no link into the mini-program in time"),
        }
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{}/app/#/{page}{mark}{query}", self.public_url)
    }

    /// What to say to a member of the corporation whom no account is bound to.
    pub(super) fn leads_to_binding(&self) -> String {
        format!(
            "还不知道您是谁。请在工作台打开“清风”，点“用企业微信登录”，再用账号登录一次，把企业微信和账号绑在一起：{}/app/#/pages/sign-in/staff",
            self.public_url
        )
    }

    /// As which the official account knows the person; none elsewhere, where nothing has to be linked.
    fn identity(&self, speaker: Speaker, open_id: &str) -> Option<AccountIdentity> {
        let account = self.accounts.official.as_ref().filter(|_| speaker == Speaker::OfficialAccount)?;
        Some(AccountIdentity { app_id: account.app_id().to_owned(), open_id: open_id.to_owned() })
    }

    /// Whom the official account's openid belongs to.
    async fn linked(&self, open_id: &str) -> Result<Vec<Person>, Fault> {
        let (Some(account), Some(identity)) =
            (&self.accounts.official, self.identity(Speaker::OfficialAccount, open_id))
        else {
            return Ok(Vec::new());
        };
        let known = account_links::persons(self.store.reader(), &identity).await?;
        if !known.is_empty() {
            return Ok(known);
        }
        let asked = self.sealer.pseudonym("asked_who", open_id);
        if !self.cache.set_if_absent(&asked, b"1", ASKED_AGAIN_AFTER).await? {
            return Ok(known);
        }
        match tokio::time::timeout(PATIENCE_TO_ASK, account.follower(open_id)).await {
            Ok(Ok(follower)) => match follower.union_id {
                Some(union_id) => account_links::recognize(&self.store, identity, union_id).await,
                None => Ok(known),
            },
            // The link in the answer leads on all the same.
            Ok(Err(outcome)) => {
                tracing::warn!(?outcome, "the platform does not tell who writes to the official account");
                Ok(known)
            }
            Err(_) => Ok(known),
        }
    }

    async fn is_of_staff(&self, speaker: Speaker, open_id: &str) -> Result<bool, Fault> {
        Ok(match speaker {
            Speaker::OfficialAccount => {
                self.linked(open_id).await?.iter().any(|person| person.kind == PersonKind::Staff)
            }
            Speaker::MiniProgram | Speaker::Staff => phones::is_of_staff(self.store.reader(), open_id).await?,
        })
    }
}

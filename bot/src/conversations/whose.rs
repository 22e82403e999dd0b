//! Whose chat it is. In the mini-program's customer service the platform names people as the sign-in does. The official account
//! knows them by other openids: the ledger of links tells whose they are, the platform may tell by a union id, and else
//! whoever writes gets a link with which to make the chat his own.

use std::time::Duration;

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
        if self.is_of_staff(speaker, &push.from).await? {
            return Ok("您用的是工作人员的微信：待办请在小程序“待办”里处理，这里只答群众。".into());
        }
        let sign_in = format!("{}/app/#/pages/home/index", self.public_url);
        let Some(identity) = self.identity(speaker, &push.from) else {
            return Ok(format!(
                "还不知道您是哪个村的，您发的没有保存。请先打开小程序登录，用村里给的邀请码绑定：{sign_in}\n绑定以后：\n{HELP}"
            ));
        };
        let code = account_links::issue_code(&self.store, &*self.cache, &self.sealer, &identity).await?;
        Ok(format!(
            "还不知道您是哪个村的，您发的没有保存。绑定一次就行：\n1 打开小程序登录，第一次用村里给的邀请码：{sign_in}\n2 登录以后点这里，认下这个聊天：{}/app/#/pages/account-links/index?code={code}\n这个链接半小时内有效，只能用一次，别转给别人。\n绑定以后：\n{HELP}",
            self.public_url
        ))
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

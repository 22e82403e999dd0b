//! Everything the simulator remembers. It lives in memory and ends with the process.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, Utc};

use crate::{
    faults::Faults,
    groups::Group,
    journal::{Content, Journal, Recipient},
    limits::{Limits, Usage},
    phones::Phone,
    push_faults::PushFaults,
    robot_use::RobotUse,
    settings::{Account, WeComAccount},
    wechat::{
        AccountMedia, Links, LoginCode, Menu, PhoneCodes, ReplyAllowances, Sessions, TakenNames, Template, TokenBook,
        Uploads,
    },
    wecom::{AppUse, GroupTasks, LoginCodes, ResponseCodes},
};

#[derive(Default)]
pub(crate) struct State {
    /// The mini-program.
    pub(crate) account: Account,
    pub(crate) official_account: Option<Account>,
    /// Both accounts are bound to one another at the Open Platform.
    pub(crate) open_platform: bool,
    pub(crate) wecom_account: WeComAccount,
    pub(crate) wecom_app: AppUse,
    pub(crate) wecom_codes: LoginCodes,
    /// Of mini-programs inside WeCom.
    pub(crate) mini_program_codes: LoginCodes,
    pub(crate) response_codes: ResponseCodes,
    pub(crate) group_tasks: GroupTasks,
    /// By openid.
    pub(crate) phones: BTreeMap<String, Phone>,
    /// By the robot's key.
    pub(crate) groups: BTreeMap<String, Group>,
    pub(crate) templates: BTreeMap<String, Template>,
    pub(crate) codes: HashMap<String, LoginCode>,
    /// Links into the mini-program.
    pub(crate) links: Links,
    pub(crate) tokens: TokenBook,
    /// The official account's.
    pub(crate) official_tokens: TokenBook,
    /// In place of the lifetime in the settings.
    pub(crate) token_lifetime: Option<Duration>,
    pub(crate) phone_codes: PhoneCodes,
    pub(crate) sessions: Sessions,
    /// Addresses of pictures and recordings that are being checked.
    pub(crate) checked_media: HashSet<String>,
    /// Who does not want template messages of the official account.
    pub(crate) blocking: HashSet<String>,
    /// When a person last used the mini-program.
    pub(crate) active: HashMap<String, DateTime<Utc>>,
    /// Who does not follow the official account.
    pub(crate) unfollowed: HashSet<String>,
    pub(crate) taken_names: TakenNames,
    /// Accepts left, by openid and template.
    pub(crate) accepts: HashMap<(String, String), u32>,
    /// People to whom a subscribe message is being sent right now.
    pub(crate) sending: HashSet<String>,
    pub(crate) replies: ReplyAllowances,
    /// Pictures that the account uploaded.
    pub(crate) uploads: Uploads,
    /// By the robot's key.
    pub(crate) robots: HashMap<String, RobotUse>,
    /// What people sent to the official account, by media id.
    pub(crate) account_media: AccountMedia,
    /// The menu under the chat with the official account.
    pub(crate) menu: Menu,
    /// The menu under the chat with the application at WeCom.
    pub(crate) wecom_menu: Menu,
    /// Files that robots uploaded, by media id.
    pub(crate) media: HashMap<String, Arc<crate::wecom::Media>>,
    pub(crate) limits: Limits,
    pub(crate) usage: Usage,
    pub(crate) faults: Faults,
    pub(crate) push_faults: PushFaults,
    pub(crate) journal: Journal,
    pub(crate) last_message_id: u64,
}

impl State {
    /// Whether this user id is a member of the corporation.
    pub(crate) fn is_member(&self, user_id: &str) -> bool {
        self.phones.values().any(|phone| phone.wecom_user_id.as_deref() == Some(user_id))
    }

    /// The words of a choice that the account offered this person in the chat.
    pub(crate) fn choice(&self, openid: &str, id: &str) -> Option<String> {
        let to = Recipient::Phone(openid.to_owned());
        self.journal.deliveries.iter().rev().filter(|delivery| delivery.to == to).find_map(|delivery| {
            let Content::Card { buttons, .. } = &delivery.content else { return None };
            buttons.iter().find(|button| button.key == id).map(|button| button.text.clone())
        })
    }

    /// Whether the card of this task asks just these questions and offers these answers.
    pub(crate) fn may_answer(&self, task: &str, answers: &[(&str, &[&str])]) -> bool {
        let asked = self.wecom_app.questions(task);
        asked.len() == answers.len()
            && answers.iter().all(|(question, chosen)| {
                let offered = |options: &[String]| chosen.iter().all(|id| options.iter().any(|option| option == id));
                !chosen.is_empty() && asked.iter().any(|(key, options)| key == question && offered(options))
            })
    }

    /// Whether a card with this button lies on the person's phone.
    pub(crate) fn has_button(&self, openid: &str, task: &str, key: &str) -> bool {
        let Some(user) = self.phones.get(openid).and_then(|phone| phone.wecom_user_id.clone()) else { return false };
        let to = Recipient::WeComUser(user);
        self.journal.deliveries.iter().any(|delivery| {
            let Content::Card { task: Some(its), buttons, .. } = &delivery.content else { return false };
            delivery.to == to
                && delivery.recalled_at.is_none()
                && its == task
                && !key.is_empty()
                && buttons.iter().any(|button| button.key == key)
        })
    }
}

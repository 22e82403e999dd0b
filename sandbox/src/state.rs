//! Everything the simulator remembers. It lives in memory and ends with the process.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use chrono::{DateTime, Utc};

use crate::{
    faults::Faults,
    groups::Group,
    journal::Journal,
    phones::{Phone, ReplyAllowance},
    robot_use::RobotUse,
    settings::{Account, WeComAccount},
    wechat::{LoginCode, PhoneCodes, TakenNames, Template, TokenBook},
    wecom::{AppUse, GroupTasks, LoginCodes, ResponseCodes},
};

#[derive(Default)]
pub(crate) struct State {
    pub(crate) account: Account,
    pub(crate) wecom_account: WeComAccount,
    pub(crate) wecom_app: AppUse,
    pub(crate) wecom_codes: LoginCodes,
    pub(crate) response_codes: ResponseCodes,
    pub(crate) group_tasks: GroupTasks,
    /// By openid.
    pub(crate) phones: BTreeMap<String, Phone>,
    /// By the robot's key.
    pub(crate) groups: BTreeMap<String, Group>,
    pub(crate) templates: BTreeMap<String, Template>,
    pub(crate) codes: HashMap<String, LoginCode>,
    pub(crate) tokens: TokenBook,
    pub(crate) phone_codes: PhoneCodes,
    /// When a person last used the mini-program.
    pub(crate) active: HashMap<String, DateTime<Utc>>,
    /// Who does not follow the official account.
    pub(crate) unfollowed: HashSet<String>,
    pub(crate) taken_names: TakenNames,
    /// Accepts left, by openid and template.
    pub(crate) accepts: HashMap<(String, String), u32>,
    /// People to whom a subscribe message is being sent right now.
    pub(crate) sending: HashSet<String>,
    pub(crate) replies: HashMap<String, ReplyAllowance>,
    /// By the robot's key.
    pub(crate) robots: HashMap<String, RobotUse>,
    /// Files that robots uploaded, by media id.
    pub(crate) media: HashMap<String, Arc<crate::wecom::Media>>,
    pub(crate) faults: Faults,
    pub(crate) journal: Journal,
    pub(crate) last_message_id: u64,
}

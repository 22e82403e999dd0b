//! The mini-program and the official account: two accounts of one owner that have nothing in common. Each has its own tokens,
//! pushes and what was sent to it, and calls the same person by another openid.

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::TokenBook;
use crate::{
    Account, Sandbox,
    answer::{Manner, Parameters, Refused, answer, refused},
    state::State,
};

/// One of the two. Without an official account the one account plays both, for trials of single interfaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    MiniProgram,
    OfficialAccount,
}

impl State {
    pub(crate) fn account_of(&self, which: Which) -> &Account {
        match which {
            Which::MiniProgram => &self.account,
            Which::OfficialAccount => self.official_account.as_ref().unwrap_or(&self.account),
        }
    }

    pub(super) fn tokens_of(&mut self, which: Which) -> &mut TokenBook {
        match which {
            Which::MiniProgram => &mut self.tokens,
            Which::OfficialAccount => &mut self.official_tokens,
        }
    }

    /// What the owner of a phone is called at the account; phones are known by the mini-program's openid.
    pub(crate) fn openid_at(&self, which: Which, phone: &str) -> String {
        match (which, &self.official_account) {
            (Which::OfficialAccount, Some(account)) => {
                let told = self.phones.get(phone).and_then(|phone| phone.official_openid.clone());
                told.unwrap_or_else(|| official_openid(&account.app_id, phone))
            }
            _ => phone.to_owned(),
        }
    }

    /// The phone of whom the account calls by this openid; the other account's openids are nobody's.
    pub(crate) fn phone_at(&self, which: Which, openid: &str) -> Option<String> {
        self.phones.keys().find(|phone| self.openid_at(which, phone) == openid).cloned()
    }

    /// The same at both accounts, where they are bound to one another.
    pub(super) fn union_id(&self, phone: &str) -> Option<String> {
        self.open_platform.then(|| named("open platform", phone, "u"))
    }

    /// Whose token it is.
    pub(super) fn caller(&self, token: &str, now: DateTime<Utc>) -> Result<Which, Refused> {
        if self.official_tokens.knows(token) {
            return self.official_tokens.check(token, now).map(|()| Which::OfficialAccount);
        }
        self.tokens.check(token, now).map(|()| Which::MiniProgram)
    }

    /// Whether an account is given what was sent to this one.
    pub(super) fn is_given(&self, caller: Which, account: Which) -> bool {
        self.official_account.is_none() || caller == account
    }

    /// Interfaces that mini-programs have.
    pub(super) fn only_mini_program(&self, token: &str, now: DateTime<Utc>) -> Result<(), Refused> {
        match self.caller(token, now)? {
            Which::MiniProgram => Ok(()),
            Which::OfficialAccount => refused(48001, "api unauthorized"),
        }
    }

    /// Interfaces that official accounts have.
    pub(super) fn only_official_account(&self, token: &str, now: DateTime<Utc>) -> Result<(), Refused> {
        match (self.caller(token, now)?, &self.official_account) {
            (Which::MiniProgram, Some(_)) => refused(48001, "api unauthorized"),
            _ => Ok(()),
        }
    }
}

/// What an official account calls the owner of a phone of whom nothing else was said.
#[must_use]
pub fn official_openid(app_id: &str, phone: &str) -> String {
    named(app_id, phone, "o")
}

/// As long as the real ones, and nothing in it tells of the other.
fn named(account: &str, phone: &str, first: &str) -> String {
    let digest = Sha256::digest(format!("{account}\0{phone}").as_bytes());
    format!("{first}{}", &hex::encode(digest)[..27])
}

/// Who follows the official account under this openid.
pub(super) async fn user_info(request: HttpRequest, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let parameters = Parameters::of(&request);
    let now = sandbox.now();
    let result = |state: &State| -> Result<Value, Refused> {
        state.only_official_account(parameters.get("access_token"), now)?;
        let openid = parameters.get("openid");
        let Some(phone) = state.phone_at(Which::OfficialAccount, openid) else {
            return refused(40003, "invalid openid");
        };
        if state.unfollowed.contains(&phone) {
            return Ok(json!({"subscribe": 0, "openid": openid}));
        }
        let mut told = json!({
            "subscribe": 1, "openid": openid, "language": "zh_CN", "subscribe_time": now.timestamp(),
            "remark": "", "groupid": 0, "tagid_list": [], "subscribe_scene": "ADD_SCENE_QR_CODE",
        });
        if let Some(union_id) = state.union_id(&phone) {
            told["unionid"] = union_id.into();
        }
        Ok(told)
    };
    answer(&Manner::CgiBin, result(&sandbox.state()))
}

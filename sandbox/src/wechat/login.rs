//! `jscode2session`: a login code for the person behind it.

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::Which;
use crate::{
    Sandbox,
    answer::{Manner, Parameters, Refused, answer, refused},
    state::State,
};

/// A code is good for five minutes, once.
const CODE_LIFETIME: TimeDelta = TimeDelta::minutes(5);
const MINUTE: TimeDelta = TimeDelta::minutes(1);

pub(crate) struct LoginCode {
    openid: String,
    issued_at: DateTime<Utc>,
    used: bool,
}

/// What `wx.login` does on the phone.
pub(crate) fn issue_code(state: &mut State, openid: &str, now: DateTime<Utc>) -> String {
    let code = format!("0{}", hex::encode(rand::random::<[u8; 15]>()));
    state.codes.retain(|_, code| now - code.issued_at <= CODE_LIFETIME * 2);
    state.active.insert(openid.to_owned(), now);
    state.codes.insert(code.clone(), LoginCode { openid: openid.to_owned(), issued_at: now, used: false });
    code
}

pub(super) async fn code_to_session(request: HttpRequest, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let parameters = Parameters::of(&request);
    let now = sandbox.now();
    answer(&Manner::Plain, exchange(&mut sandbox.state(), &parameters, now))
}

fn exchange(state: &mut State, parameters: &Parameters, now: DateTime<Utc>) -> Result<Value, Refused> {
    let which = super::tokens::check_account(state, parameters.get("appid"), parameters.get("secret"))?;
    if which != Which::MiniProgram {
        return refused(40013, "invalid appid");
    }
    if parameters.get("grant_type") != "authorization_code" {
        return refused(40002, "invalid grant_type");
    }
    let code = parameters.get("js_code");
    if code.is_empty() {
        return refused(41008, "missing code");
    }
    let Some(login) = state.codes.get_mut(code) else {
        return refused(40029, "invalid code");
    };
    if login.used {
        return refused(40163, "code been used");
    }
    if now - login.issued_at > CODE_LIFETIME {
        return refused(40029, "invalid code");
    }
    if !state.usage.spend(format!("logins of {}", login.openid), now, state.limits.logins_a_minute, MINUTE) {
        return refused(45011, "api minute-quota reach limit, must slower, retry next minute");
    }
    login.used = true;
    let openid = login.openid.clone();
    if state.phones.get(&openid).is_some_and(|phone| phone.blocked) {
        return refused(40226, "code blocked");
    }
    // No errcode on success: the real interface leaves it out, too.
    let mut session = json!({"session_key": state.sessions.begin(&openid), "openid": openid});
    if let Some(union_id) = state.union_id(&openid) {
        session["unionid"] = union_id.into();
    }
    Ok(session)
}

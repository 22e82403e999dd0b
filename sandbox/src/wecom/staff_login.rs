//! The logins of a corporation's members: in their browser, and in a mini-program inside WeCom. Each starts from a code
//! that the platform gives.

use std::collections::HashMap;

use actix_web::{HttpRequest, HttpResponse, web};
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::{
    Sandbox,
    answer::{Manner, Parameters, Refused, answer, refused},
};

const CODE_LIFETIME: TimeDelta = TimeDelta::minutes(5);
const LONGEST_CODE: usize = 512;

/// Codes that were given: openid of the phone and when.
#[derive(Default)]
pub(crate) struct LoginCodes(HashMap<String, (String, DateTime<Utc>)>);

impl LoginCodes {
    pub(crate) fn issue(&mut self, openid: &str, now: DateTime<Utc>) -> String {
        let code = hex::encode(rand::random::<[u8; 24]>());
        self.0.insert(code.clone(), (openid.to_owned(), now));
        code
    }

    /// The phone behind a code that is still good; it is used up.
    fn spend(&mut self, code: &str, now: DateTime<Utc>) -> Result<String, Refused> {
        let known = (code.len() <= LONGEST_CODE).then(|| self.0.remove(code)).flatten();
        match known.filter(|(_, at)| now - *at <= CODE_LIFETIME) {
            Some((openid, _)) => Ok(openid),
            None => refused(40029, "invalid code"),
        }
    }
}

pub(super) async fn who_is_it(request: HttpRequest, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let parameters = Parameters::of(&request);
    let now = sandbox.now();
    let result = || -> Result<Value, Refused> {
        let state = &mut *sandbox.state();
        state.wecom_app.check(parameters.get("access_token"), now)?;
        let openid = state.wecom_codes.spend(parameters.get("code"), now)?;
        Ok(match state.phones.get(&openid).and_then(|phone| phone.wecom_user_id.clone()) {
            Some(user) => json!({"errcode": 0, "errmsg": "ok", "userid": user}),
            // Somebody outside the corporation.
            None => json!({"errcode": 0, "errmsg": "ok", "openid": openid}),
        })
    };
    answer(&Manner::WeCom, result())
}

/// Only members open mini-programs inside WeCom.
pub(super) async fn mini_program(request: HttpRequest, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let parameters = Parameters::of(&request);
    let now = sandbox.now();
    let result = || -> Result<Value, Refused> {
        let state = &mut *sandbox.state();
        state.wecom_app.check(parameters.get("access_token"), now)?;
        if parameters.get("grant_type") != "authorization_code" {
            return refused(40058, "grant_type invalid. invalid Request Parameter");
        }
        let openid = state.mini_program_codes.spend(parameters.get("js_code"), now)?;
        match state.phones.get(&openid).and_then(|phone| phone.wecom_user_id.clone()) {
            Some(user) => Ok(json!({
                "errcode": 0, "errmsg": "ok", "corpid": state.wecom_account.corp_id, "userid": user,
                "session_key": STANDARD.encode(rand::random::<[u8; 16]>()),
            })),
            None => refused(40029, "invalid code"),
        }
    };
    answer(&Manner::WeCom, result())
}

//! The login of a corporation's members in their browser: a code that the platform puts into the address.

use std::collections::HashMap;

use actix_web::{HttpRequest, HttpResponse, web};
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
}

pub(super) async fn who_is_it(request: HttpRequest, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let parameters = Parameters::of(&request);
    let now = sandbox.now();
    let result = || -> Result<Value, Refused> {
        let state = &mut *sandbox.state();
        state.wecom_app.check(parameters.get("access_token"), now)?;
        let code = parameters.get("code");
        let known = (code.len() <= LONGEST_CODE).then(|| state.wecom_codes.0.remove(code)).flatten();
        let Some((openid, _)) = known.filter(|(_, at)| now - *at <= CODE_LIFETIME) else {
            return refused(40029, "invalid code");
        };
        Ok(match state.phones.get(&openid).and_then(|phone| phone.wecom_user_id.clone()) {
            Some(user) => json!({"errcode": 0, "errmsg": "ok", "userid": user}),
            // Somebody outside the corporation.
            None => json!({"errcode": 0, "errmsg": "ok", "openid": openid}),
        })
    };
    answer(&Manner::WeCom, result())
}

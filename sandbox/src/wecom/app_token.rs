//! The application's token, and who may ask for it.

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::{
    Sandbox,
    answer::{Manner, Parameters, Refused, answer, answer_with_lists, refused},
};

/// How long an address is banned that tried too many wrong secrets.
const BAN: TimeDelta = TimeDelta::hours(1);

pub(super) async fn token(request: HttpRequest, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let parameters = Parameters::of(&request);
    let now = sandbox.now();
    let lifetime = TimeDelta::from_std(sandbox.token_lifetime()).unwrap_or(TimeDelta::MAX);
    let result = || -> Result<Value, Refused> {
        let state = &mut *sandbox.state();
        let app = &mut state.wecom_app;
        app.token_calls += 1;
        app.check_address(now)?;
        if parameters.get("corpsecret").is_empty() {
            return refused(41004, "corpsecret missing");
        }
        if parameters.get("corpid") != state.wecom_account.corp_id {
            return refused(40013, "invalid corpid");
        }
        if parameters.get("corpsecret") != state.wecom_account.secret {
            app.wrong_secrets.spend(now, usize::MAX, TimeDelta::hours(1));
            if app.wrong_secrets.is_full(now, state.limits.wrong_secrets, TimeDelta::hours(1)) {
                app.banned_until = Some(now + BAN);
            }
            return refused(40001, "invalid credential");
        }
        let (token, end) = match app.token.clone() {
            Some((token, end)) if now < end => (token, end),
            former => {
                app.former.extend(former.map(|(token, _)| token));
                (hex::encode(rand::random::<[u8; 64]>()), now + lifetime)
            }
        };
        app.token = Some((token.clone(), end));
        Ok(json!({"errcode": 0, "errmsg": "ok", "access_token": token, "expires_in": (end - now).num_seconds()}))
    };
    answer(&Manner::WeCom, result())
}

/// The addresses that the platform pushes from.
pub(super) async fn callback_addresses(request: HttpRequest, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let parameters = Parameters::of(&request);
    let now = sandbox.now();
    let known = sandbox.state().wecom_app.check(parameters.get("access_token"), now);
    let result = known.map(|()| json!({"errcode": 0, "errmsg": "ok", "ip_list": ["127.0.0.1"]}));
    answer_with_lists(&["ip_list"], result)
}

//! The operator's way out when a day's number is used up.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

use super::mini_program::call;
use crate::{
    Sandbox,
    answer::{Manner, answer, refused},
};

/// In a month.
const CLEARINGS: usize = 10;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Clearing {
    appid: String,
}

pub(super) async fn clear(request: HttpRequest, body: web::Bytes, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let result = call(&request, &body, &sandbox, |state, Clearing { appid }, now| {
        if appid != state.account.app_id {
            return refused(40013, "invalid appid");
        }
        if !state.usage.clear_days(now, CLEARINGS) {
            return refused(48006, "forbid to clear quota because of reaching the limit");
        }
        Ok(json!({"errcode": 0, "errmsg": "ok"}))
    });
    answer(&Manner::CgiBin, result)
}

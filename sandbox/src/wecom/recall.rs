//! A message of the application that is taken back.

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    Sandbox,
    answer::{Manner, Parameters, Refused, answer, refused},
    state::State,
};

const WITHIN: TimeDelta = TimeDelta::hours(24);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recall {
    msgid: String,
}

pub(super) async fn recall(request: HttpRequest, body: web::Bytes, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let parameters = Parameters::of(&request);
    let now = sandbox.now();
    answer(&Manner::WeCom, take_back(&mut sandbox.state(), parameters.get("access_token"), &body, now))
}

fn take_back(state: &mut State, token: &str, body: &[u8], now: DateTime<Utc>) -> Result<Value, Refused> {
    state.wecom_app.check(token, now)?;
    let Recall { msgid } =
        serde_json::from_slice(body).or_else(|error| refused(40058, format!("{error}. invalid Request Parameter")))?;
    let Some((_, delivered)) = state.wecom_app.sent.get(&msgid).filter(|(at, _)| now - *at <= WITHIN) else {
        return refused(40058, "msgid invalid. invalid Request Parameter");
    };
    for delivery in state.journal.deliveries.iter_mut().filter(|delivery| delivered.contains(&delivery.id)) {
        delivery.recalled_at.get_or_insert(now);
    }
    Ok(json!({"errcode": 0, "errmsg": "ok"}))
}

//! What a mini-program asks of the platform: how it asks, and the phone number.

use std::collections::HashMap;

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    Sandbox,
    answer::{Manner, Parameters, Refused, answer, refused},
    state::State,
};

const CODE_LIFETIME: TimeDelta = TimeDelta::minutes(5);
/// Codes of the phone number's button: number and when the button was tapped.
#[derive(Default)]
pub(crate) struct PhoneCodes(HashMap<String, (String, DateTime<Utc>)>);

impl PhoneCodes {
    pub(crate) fn issue(&mut self, number: &str, now: DateTime<Utc>) -> String {
        let code = hex::encode(rand::random::<[u8; 32]>());
        self.0.insert(code.clone(), (number.to_owned(), now));
        code
    }
}

/// Runs a call with a token and a strict body.
pub(super) fn call<T: DeserializeOwned>(
    request: &HttpRequest,
    body: &web::Bytes,
    sandbox: &Sandbox,
    work: impl FnOnce(&mut State, T, DateTime<Utc>) -> Result<Value, Refused>,
) -> Result<Value, Refused> {
    let now = sandbox.now();
    let state = &mut *sandbox.state();
    state.only_mini_program(Parameters::of(request).get("access_token"), now)?;
    let body: T =
        serde_json::from_slice(body).or_else(|error| refused(47001, format!("data format error: {error}")))?;
    work(state, body, now)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PhoneRequest {
    code: String,
    #[serde(default, rename = "openid")]
    _openid: String,
}

pub(super) async fn phone_number(request: HttpRequest, body: web::Bytes, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let result = call(&request, &body, &sandbox, |state, PhoneRequest { code, .. }, now| {
        match state.phone_codes.0.remove(&code) {
            Some((number, at)) if now - at <= CODE_LIFETIME => Ok(json!({"errcode": 0, "errmsg": "ok", "phone_info": {
                "phoneNumber": number, "purePhoneNumber": number, "countryCode": "86",
                "watermark": {"timestamp": now.timestamp(), "appid": state.account.app_id},
            }})),
            _ => refused(40029, "invalid code"),
        }
    });
    answer(&Manner::CgiBin, result)
}

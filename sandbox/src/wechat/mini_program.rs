//! What a mini-program asks of the platform: phone numbers, links, codes, the check of texts.

use std::collections::HashMap;

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    Sandbox,
    answer::{Decision, Manner, Parameters, Refused, answer, refused},
    state::State,
};

const CODE_LIFETIME: TimeDelta = TimeDelta::minutes(5);
const LONGEST_QUERY: usize = 1024;
const LONGEST_SCENE: usize = 32;
const LONGEST_CHECKED: usize = 2500;
/// Only people who used the mini-program lately may be named.
const ACTIVE: TimeDelta = TimeDelta::hours(2);
/// Words that the simulated platform minds.
const RISKY: &str = "违禁词";
const DOUBTFUL: &str = "可疑词";

/// A picture of one point, as good as any.
const PICTURE: &[u8] = &[
    0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, b'I', b'H', b'D', b'R', 0, 0, 0, 1, 0, 0, 0, 1, 8, 6,
    0, 0, 0, 0x1f, 0x15, 0xc4, 0x89, 0, 0, 0, 13, b'I', b'D', b'A', b'T', 0x78, 0x9c, 0x63, 0x60, 0x60, 0x60, 0xf8,
    0x0f, 0, 1, 4, 1, 0, 0x5f, 0xe5, 0xc3, 0x4b, 0, 0, 0, 0, b'I', b'E', b'N', b'D', 0xae, 0x42, 0x60, 0x82,
];

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
fn call<T: DeserializeOwned>(
    request: &HttpRequest,
    body: &web::Bytes,
    sandbox: &Sandbox,
    work: impl FnOnce(&mut State, T, DateTime<Utc>) -> Result<Value, Refused>,
) -> Result<Value, Refused> {
    let now = sandbox.now();
    let state = &mut *sandbox.state();
    state.tokens.check(Parameters::of(request).get("access_token"), now)?;
    let body: T =
        serde_json::from_slice(body).or_else(|error| refused(47001, format!("data format error: {error}")))?;
    work(state, body, now)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PhoneRequest {
    code: String,
}

pub(super) async fn phone_number(request: HttpRequest, body: web::Bytes, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let result =
        call(&request, &body, &sandbox, |state, PhoneRequest { code }, now| match state.phone_codes.0.remove(&code) {
            Some((number, at)) if now - at <= CODE_LIFETIME => Ok(json!({"errcode": 0, "errmsg": "ok", "phone_info": {
                "phoneNumber": number, "purePhoneNumber": number, "countryCode": "86",
                "watermark": {"timestamp": now.timestamp(), "appid": state.account.app_id},
            }})),
            _ => refused(40029, "invalid code"),
        });
    answer(&Manner::CgiBin, result)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LinkRequest {
    path: String,
    #[serde(default)]
    query: String,
    env_version: String,
    expire_type: u8,
    #[serde(default)]
    expire_time: i64,
    #[serde(default)]
    expire_interval: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Jump {
    path: String,
    #[serde(default)]
    query: String,
    env_version: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SchemeRequest {
    jump_wxa: Jump,
    is_expire: bool,
    expire_type: u8,
    #[serde(default)]
    expire_time: i64,
    #[serde(default)]
    expire_interval: i64,
}

fn check_link(request: &LinkRequest, now: DateTime<Utc>) -> Result<(), Refused> {
    let letter = |letter: u8| letter.is_ascii_alphanumeric() || b"!#$&'()*+,/:;=?@-._~%".contains(&letter);
    if request.path.is_empty() || request.path.contains('?') {
        return refused(40165, "invalid path");
    }
    if request.query.len() > LONGEST_QUERY || !request.query.bytes().all(letter) {
        return refused(40212, "invalid query");
    }
    if !["release", "trial", "develop"].contains(&request.env_version.as_str()) {
        return refused(85402, "invalid env_version");
    }
    let lasts = match request.expire_type {
        0 => request.expire_time - now.timestamp(),
        1 => request.expire_interval * 86_400,
        _ => return refused(85401, "invalid expire_type"),
    };
    if !(61..=30 * 86_400).contains(&lasts) {
        return refused(85401, "invalid expire_time");
    }
    Ok(())
}

pub(super) async fn url_link(request: HttpRequest, body: web::Bytes, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let result = call(&request, &body, &sandbox, |_, link: LinkRequest, now| {
        check_link(&link, now)?;
        let name = hex::encode(rand::random::<[u8; 6]>());
        Ok(json!({"errcode": 0, "errmsg": "ok", "url_link": format!("https://wxaurl.cn/{name}")}))
    });
    answer(&Manner::CgiBin, result)
}

pub(super) async fn scheme(request: HttpRequest, body: web::Bytes, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let result = call(&request, &body, &sandbox, |_, scheme: SchemeRequest, now| {
        let link = LinkRequest {
            path: scheme.jump_wxa.path,
            query: scheme.jump_wxa.query,
            env_version: scheme.jump_wxa.env_version,
            expire_type: scheme.expire_type,
            expire_time: scheme.expire_time,
            expire_interval: scheme.expire_interval,
        };
        if !scheme.is_expire {
            return refused(85401, "links without an end are not given any more");
        }
        check_link(&link, now)?;
        let ticket = hex::encode(rand::random::<[u8; 6]>());
        Ok(json!({"errcode": 0, "errmsg": "ok", "openlink": format!("weixin://dl/business/?t={ticket}")}))
    });
    answer(&Manner::CgiBin, result)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CodeRequest {
    #[serde(default)]
    scene: String,
    #[serde(default)]
    page: String,
    #[serde(default, rename = "check_path")]
    _check_path: bool,
    #[serde(default, rename = "env_version")]
    _env_version: String,
    #[serde(default)]
    width: Option<u32>,
}

/// A picture, or JSON when it fails.
pub(super) async fn code_image(request: HttpRequest, body: web::Bytes, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let result = call(&request, &body, &sandbox, |_, code: CodeRequest, _| {
        let letter = |letter: char| letter.is_ascii_alphanumeric() || "!#$&'()*+,/:;=?@-._~".contains(letter);
        if code.scene.chars().count() > LONGEST_SCENE {
            return refused(40169, "invalid length for scene, or the data is not json string");
        }
        if code.scene.is_empty() || !code.scene.chars().all(letter) {
            return refused(40129, "invalid scene");
        }
        if code.page.starts_with('/') || code.page.contains('?') {
            return refused(41030, "invalid page");
        }
        if !(280..=1280).contains(&code.width.unwrap_or(430)) {
            return refused(40097, "invalid args");
        }
        Ok(Value::Null)
    });
    match result {
        Ok(_) => {
            let mut response = HttpResponse::Ok().content_type("image/png").body(PICTURE);
            response.extensions_mut().insert(Decision(0));
            response
        }
        Err(refused) => answer(&Manner::CgiBin, Err(refused)),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckRequest {
    content: String,
    version: u8,
    scene: u8,
    openid: String,
}

pub(super) async fn check_text(request: HttpRequest, body: web::Bytes, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let result = call(&request, &body, &sandbox, |state, check: CheckRequest, now| {
        if check.version != 2 || check.content.is_empty() || check.content.chars().count() > LONGEST_CHECKED {
            return refused(47001, "data format error");
        }
        if !(1..=4).contains(&check.scene) {
            return refused(40129, "invalid scene");
        }
        if !state.phones.contains_key(&check.openid) {
            return refused(40003, "invalid openid");
        }
        if state.active.get(&check.openid).is_none_or(|at| now - *at > ACTIVE) {
            return refused(61010, "code is expired");
        }
        let (suggest, label) = match &check.content {
            content if content.contains(RISKY) => ("risky", 20_006),
            content if content.contains(DOUBTFUL) => ("review", 21_000),
            _ => ("pass", 100),
        };
        Ok(json!({"errcode": 0, "errmsg": "ok", "trace_id": hex::encode(rand::random::<[u8; 8]>()),
            "result": {"suggest": suggest, "label": label}, "detail": []}))
    });
    answer(&Manner::CgiBin, result)
}

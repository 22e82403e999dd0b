//! Links and codes that lead into the mini-program.

use std::collections::HashMap;

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::mini_program::call;
use crate::{
    Sandbox,
    answer::{Decision, Manner, Refused, answer, refused},
    state::State,
};

const LONGEST_QUERY: usize = 1024;
const LONGEST_SCENE: usize = 32;
const VERSIONS: [&str; 3] = ["release", "trial", "develop"];
/// A link lasts more than a minute and at most thirty days.
const LASTS: std::ops::RangeInclusive<i64> = 61..=30 * 86_400;

/// A picture of one point, as good as any.
const PICTURE: &[u8] = &[
    0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, b'I', b'H', b'D', b'R', 0, 0, 0, 1, 0, 0, 0, 1, 8, 6,
    0, 0, 0, 0x1f, 0x15, 0xc4, 0x89, 0, 0, 0, 13, b'I', b'D', b'A', b'T', 0x78, 0x9c, 0x63, 0x60, 0x60, 0x60, 0xf8,
    0x0f, 0, 1, 4, 1, 0, 0x5f, 0xe5, 0xc3, 0x4b, 0, 0, 0, 0, b'I', b'E', b'N', b'D', 0xae, 0x42, 0x60, 0x82,
];

/// How every link begins.
pub(crate) const LINK_HOST: &str = "https://wxaurl.cn/";

/// Links that were given: by its name the page that a link opens, with its query, and until when.
#[derive(Default)]
pub(crate) struct Links(HashMap<String, (String, DateTime<Utc>)>);

impl Links {
    /// The page that a link opens, as long as it does.
    pub(crate) fn page(&self, name: &str, now: DateTime<Utc>) -> Option<String> {
        self.0.get(name).filter(|(_, until)| now < *until).map(|(page, _)| page.clone())
    }
}

fn release() -> String {
    "release".into()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LinkRequest {
    path: String,
    #[serde(default)]
    query: String,
    #[serde(default = "release")]
    env_version: String,
    #[serde(default)]
    expire_type: u8,
    #[serde(default)]
    expire_time: i64,
    #[serde(default)]
    expire_interval: i64,
    cloud_base: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Jump {
    path: String,
    #[serde(default)]
    query: String,
    #[serde(default = "release")]
    env_version: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SchemeRequest {
    jump_wxa: Jump,
    #[serde(default)]
    is_expire: bool,
    #[serde(default)]
    expire_type: u8,
    #[serde(default)]
    expire_time: i64,
    #[serde(default)]
    expire_interval: i64,
}

/// Links and schemes are counted together. Until when the link is good.
fn give_link(state: &mut State, request: &LinkRequest, now: DateTime<Utc>) -> Result<DateTime<Utc>, Refused> {
    let letter = |letter: u8| letter.is_ascii_alphanumeric() || b"!#$&'()*+,/:;=?@-._~%".contains(&letter);
    if request.path.is_empty() || request.path.contains('?') || !state.account.has_page(&request.path) {
        return refused(40165, "invalid path");
    }
    if request.query.len() > LONGEST_QUERY || !request.query.bytes().all(letter) {
        return refused(40212, "invalid query");
    }
    if !VERSIONS.contains(&request.env_version.as_str()) {
        return refused(85402, "invalid env_version");
    }
    if request.cloud_base.is_some() {
        return refused(85088, "no open cloud development");
    }
    let lasts = match request.expire_type {
        0 => request.expire_time - now.timestamp(),
        1 => request.expire_interval.saturating_mul(86_400),
        _ => return refused(85401, "invalid expire_type"),
    };
    if !LASTS.contains(&lasts) {
        return refused(85401, "invalid expire_time");
    }
    if !state.usage.spend("links", now, state.limits.links_a_second, TimeDelta::seconds(1)) {
        return refused(44990, "reach max api second frequence limit");
    }
    if !state.usage.spend_today("links", now, state.limits.links_a_day, 1) {
        return refused(44993, "reach max api day frequence limit");
    }
    Ok(now + TimeDelta::seconds(lasts))
}

pub(super) async fn url_link(request: HttpRequest, body: web::Bytes, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let result = call(&request, &body, &sandbox, |state, link: LinkRequest, now| {
        let until = give_link(state, &link, now)?;
        let name = hex::encode(rand::random::<[u8; 6]>());
        let page = if link.query.is_empty() { link.path } else { format!("{}?{}", link.path, link.query) };
        let address = format!("{LINK_HOST}{name}");
        state.links.0.insert(name, (page, until));
        Ok(json!({"errcode": 0, "errmsg": "ok", "url_link": address}))
    });
    answer(&Manner::CgiBin, result)
}

pub(super) async fn scheme(request: HttpRequest, body: web::Bytes, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let result = call(&request, &body, &sandbox, |state, scheme: SchemeRequest, now| {
        let link = LinkRequest {
            path: scheme.jump_wxa.path,
            query: scheme.jump_wxa.query,
            env_version: scheme.jump_wxa.env_version,
            expire_type: scheme.expire_type,
            expire_time: scheme.expire_time,
            expire_interval: scheme.expire_interval,
            cloud_base: None,
        };
        if !scheme.is_expire {
            return refused(85401, "links without an end are not given any more");
        }
        give_link(state, &link, now)?;
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
    #[serde(default = "yes")]
    check_path: bool,
    #[serde(default = "release")]
    env_version: String,
    #[serde(default)]
    width: Option<u32>,
    #[serde(default, rename = "auto_color")]
    _auto_color: bool,
    #[serde(default, rename = "line_color")]
    _line_color: Option<Colour>,
    #[serde(default, rename = "is_hyaline")]
    _is_hyaline: bool,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Colour {
    #[serde(rename = "r")]
    _red: u8,
    #[serde(rename = "g")]
    _green: u8,
    #[serde(rename = "b")]
    _blue: u8,
}

fn check_code(state: &mut State, code: &CodeRequest, now: DateTime<Utc>) -> Result<Value, Refused> {
    let letter = |letter: char| letter.is_ascii_alphanumeric() || "!#$&'()*+,/:;=?@-._~".contains(letter);
    if code.scene.chars().count() > LONGEST_SCENE {
        return refused(40169, "invalid length for scene, or the data is not json string");
    }
    if code.scene.is_empty() || !code.scene.chars().all(letter) {
        return refused(40129, "invalid scene");
    }
    let exists = code.page.is_empty() || !code.check_path || state.account.has_page(&code.page);
    if code.page.starts_with('/') || code.page.contains('?') || !exists {
        return refused(41030, "invalid page");
    }
    if !(280..=1280).contains(&code.width.unwrap_or(430)) || !VERSIONS.contains(&code.env_version.as_str()) {
        return refused(40097, "invalid args");
    }
    if !state.usage.spend("codes", now, state.limits.codes_a_minute, TimeDelta::minutes(1)) {
        return refused(45011, "api minute-quota reach limit, must slower, retry next minute");
    }
    Ok(Value::Null)
}

/// A picture, or JSON when it fails.
pub(super) async fn code_image(request: HttpRequest, body: web::Bytes, sandbox: web::Data<Sandbox>) -> HttpResponse {
    match call(&request, &body, &sandbox, |state, code: CodeRequest, now| check_code(state, &code, now)) {
        Ok(_) => {
            let mut response = HttpResponse::Ok().content_type("image/png").body(PICTURE);
            response.extensions_mut().insert(Decision(0));
            response
        }
        Err(refused) => answer(&Manner::CgiBin, Err(refused)),
    }
}

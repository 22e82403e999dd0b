//! Feishu's group robot, under the prefix `/feishu`.

use actix_web::{HttpResponse, web};
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, Mac};
use serde_json::json;
use sha2::Sha256;

use crate::{
    Sandbox,
    answer::{Decision, Refused, not_simulated, refused},
    feishu_message::{Message, content},
    groups::{Group, GroupKind},
    journal::{Platform, Recipient},
    state::State,
};

/// Longest body, in bytes.
const BODY_BYTES: usize = 20 * 1024;
/// Messages in any minute, and in any second.
const A_MINUTE: usize = 100;
const A_SECOND: usize = 5;
/// How far the signature's time may be off.
const SKEW: TimeDelta = TimeDelta::hours(1);

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config
        .app_data(web::PayloadConfig::new(16 * BODY_BYTES))
        .route("/open-apis/bot/v2/hook/{token}", web::post().to(send))
        .default_service(web::to(not_simulated));
}

async fn send(token: web::Path<String>, body: web::Bytes, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let now = sandbox.now();
    let result = deliver(&mut sandbox.state(), &token, &body, now);
    let (code, body) = match result {
        Ok(()) => (0, json!({"code": 0, "msg": "success", "data": {}, "StatusCode": 0, "StatusMessage": "success"})),
        Err(refused) => (refused.code, json!({"code": refused.code, "msg": refused.message, "data": {}})),
    };
    let mut response = HttpResponse::Ok().json(body);
    response.extensions_mut().insert(Decision(code));
    response
}

fn deliver(state: &mut State, token: &str, body: &[u8], now: DateTime<Utc>) -> Result<(), Refused> {
    let Some(group) = state.groups.get(token).filter(|group| group.kind == GroupKind::Feishu).cloned() else {
        return refused(19001, "param invalid: incoming webhook access token invalid");
    };
    if body.len() > BODY_BYTES {
        return refused(19036, "msg too long");
    }
    let Ok(message) = serde_json::from_slice::<Message>(body) else {
        return refused(9499, "Bad Request");
    };
    check_signature(&group, &message, now)?;
    let content = content(message)?;
    if group.keyword.is_some_and(|keyword| !content.text().contains(&keyword)) {
        return refused(19024, "Key Words Not Found");
    }
    let used = state.robots.entry(token.to_owned()).or_default();
    if used.is_full(now, A_SECOND, TimeDelta::seconds(1)) || !used.spend(now, A_MINUTE, TimeDelta::minutes(1)) {
        return refused(11232, "frequency limited psm");
    }
    state.journal.deliver(now, Platform::Feishu, Recipient::Group(token.to_owned()), content);
    Ok(())
}

fn check_signature(group: &Group, message: &Message, now: DateTime<Utc>) -> Result<(), Refused> {
    let Some(secret) = &group.signing_secret else { return Ok(()) };
    let failed = || refused(19021, "sign match fail or timestamp is not within one hour from current time");
    let (Some(at), Some(sign)) = (&message.timestamp, &message.sign) else { return failed() };
    // Seconds: milliseconds are an instant far in the future.
    let instant = at.parse().ok().and_then(|seconds| DateTime::<Utc>::from_timestamp(seconds, 0));
    if instant.is_none_or(|instant| (now - instant).abs() > SKEW) {
        return failed();
    }
    let key = format!("{at}\n{secret}");
    let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("a key of any length will do");
    if STANDARD.encode(mac.finalize().into_bytes()) == *sign { Ok(()) } else { failed() }
}

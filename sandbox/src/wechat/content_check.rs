//! The check of texts, pictures and recordings for what must not be published.

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::json;

use super::{Which, event::push_object, mini_program::call};
use crate::{
    Sandbox,
    answer::{Manner, Refused, answer, refused},
    state::State,
};

const LONGEST_CHECKED: usize = 2500;
/// Only people who used the mini-program lately may be named.
const ACTIVE: TimeDelta = TimeDelta::hours(2);
const MINUTE: TimeDelta = TimeDelta::minutes(1);
/// What the platform downloads at most.
const MEDIA_BYTES: usize = 10 * 1024 * 1024;
/// Words that the simulated platform minds, also inside a picture's bytes.
pub(super) const RISKY: &str = "违禁词";
const DOUBTFUL: &str = "可疑词";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TextCheck {
    content: String,
    version: u8,
    scene: u8,
    openid: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    nickname: String,
    /// Only beside a profile.
    #[serde(default)]
    signature: String,
}

fn check_person(state: &State, scene: u8, openid: &str, now: DateTime<Utc>) -> Result<(), Refused> {
    if !(1..=4).contains(&scene) {
        return refused(40129, "invalid scene");
    }
    if !state.phones.contains_key(openid) {
        return refused(40003, "invalid openid");
    }
    if state.active.get(openid).is_none_or(|at| now - *at > ACTIVE) {
        return refused(61010, "code is expired");
    }
    Ok(())
}

fn judge(content: &[u8]) -> (&'static str, u32) {
    let has = |word: &str| content.windows(word.len()).any(|part| part == word.as_bytes());
    match () {
        () if has(RISKY) => ("risky", 20_006),
        () if has(DOUBTFUL) => ("review", 21_000),
        () => ("pass", 100),
    }
}

fn spend(state: &mut State, what: &str, a_minute: usize, a_day: u64, now: DateTime<Utc>) -> Result<(), Refused> {
    if !state.usage.spend(what, now, a_minute, MINUTE) {
        return refused(44991, "reach max api minute frequence limit");
    }
    if !state.usage.spend_today(what, now, a_day, 1) {
        return refused(45009, "reach max api daily quota limit");
    }
    Ok(())
}

pub(super) async fn check_text(request: HttpRequest, body: web::Bytes, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let result = call(&request, &body, &sandbox, |state, check: TextCheck, now| {
        if check.version != 2 || check.content.is_empty() || check.content.chars().count() > LONGEST_CHECKED {
            return refused(47001, "data format error");
        }
        check_person(state, check.scene, &check.openid, now)?;
        if check.scene != 1 && !check.signature.is_empty() {
            return refused(47001, "data format error");
        }
        let (minute, day) = (state.limits.text_checks_a_minute, state.limits.text_checks_a_day);
        spend(state, "text checks", minute, day, now)?;
        let whole = [check.content, check.title, check.nickname, check.signature].join("\n");
        let (suggest, label) = judge(whole.as_bytes());
        Ok(json!({"errcode": 0, "errmsg": "ok", "trace_id": hex::encode(rand::random::<[u8; 8]>()),
            "result": {"suggest": suggest, "label": label}, "detail": []}))
    });
    answer(&Manner::CgiBin, result)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MediaCheck {
    media_url: String,
    media_type: u8,
    version: u8,
    scene: u8,
    openid: String,
}

/// The result comes later, as an event; it may overtake the answer.
pub(super) async fn check_media(request: HttpRequest, body: web::Bytes, sandbox: web::Data<Sandbox>) -> HttpResponse {
    let mut begun = None;
    let result = call(&request, &body, &sandbox, |state, check: MediaCheck, now| {
        if check.version != 2 || !check.media_url.starts_with("http") {
            return refused(47001, "data format error");
        }
        if !(1..=2).contains(&check.media_type) {
            return refused(40004, "invalid media type");
        }
        check_person(state, check.scene, &check.openid, now)?;
        if state.checked_media.contains(&check.media_url) {
            return refused(87020, "the same media is being checked");
        }
        let (minute, day) = (state.limits.media_checks_a_minute, state.limits.media_checks_a_day);
        spend(state, "media checks", minute, day, now)?;
        state.checked_media.insert(check.media_url.clone());
        let trace = hex::encode(rand::random::<[u8; 16]>());
        begun = Some((trace.clone(), check.media_url, check.openid));
        Ok(json!({"errcode": 0, "errmsg": "ok", "trace_id": trace}))
    });
    if let Some((trace, address, openid)) = begun {
        let sandbox = sandbox.get_ref().clone();
        tokio::spawn(async move { finish(&sandbox, &trace, &address, &openid).await });
    }
    answer(&Manner::CgiBin, result)
}

async fn finish(sandbox: &Sandbox, trace: &str, address: &str, openid: &str) {
    let downloaded = match sandbox.client().get(address).timeout(sandbox.push_patience()).send().await {
        Ok(response) if response.status().is_success() => response.bytes().await.ok(),
        _ => None,
    };
    sandbox.state().checked_media.remove(address);
    let mut event = json!({"appid": sandbox.account().app_id, "trace_id": trace, "version": 2});
    match downloaded.filter(|bytes| bytes.len() <= MEDIA_BYTES) {
        Some(bytes) => {
            let (suggest, label) = judge(&bytes);
            event["errcode"] = 0.into();
            event["errmsg"] = "ok".into();
            event["result"] = json!({"suggest": suggest, "label": label});
            event["detail"] =
                json!([{"strategy": "content_model", "errcode": 0, "suggest": suggest, "label": label, "prob": 90}]);
        }
        None => {
            event["errcode"] = (-1008).into();
            event["errmsg"] = "download failed".into();
        }
    }
    push_object(sandbox, Which::MiniProgram, openid, "wxa_media_check", &event).await;
}

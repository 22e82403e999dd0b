//! One request to a platform: what came back, or how far it can have got.

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::{RequestBuilder, header::CONTENT_TYPE};
use serde_json::Value;

use super::codes::{Place, meaning};
use crate::delivery::Outcome;

/// Why there is no answer to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The platform has not taken it.
    NotTaken(String),
    /// It left, and what came of it is not known.
    MayHaveArrived(String),
}

impl Failure {
    pub(super) fn outcome(self, now: DateTime<Utc>) -> Outcome {
        match self {
            Self::NotTaken(reason) => Outcome::Later { at: now + TimeDelta::minutes(2), reason },
            Self::MayHaveArrived(reason) => Outcome::Unknown(reason),
        }
    }
}

/// What came back.
pub(super) struct Reply {
    pub(super) body: Vec<u8>,
    /// Whether it says of itself that it is a picture, a voice note or a file: no failure and no page of a gateway.
    pub(super) is_file: bool,
}

impl Reply {
    /// The body as JSON; none for anything else.
    pub(super) fn object(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok().filter(Value::is_object)
    }
}

/// What files are called; a voice note has two names.
const FILES: [&str; 4] = ["image/", "audio/", "voice/", "application/octet-stream"];

/// An answer. Logical failures come as HTTP 200 with a code, so this says nothing about success.
///
/// The address may hold a secret: no error of the transport is passed on.
pub(super) async fn reply(request: RequestBuilder, platform: &str) -> Result<Reply, Failure> {
    let response = match request.send().await {
        Ok(response) => response,
        Err(error) if error.is_connect() || error.is_builder() => {
            return Err(Failure::NotTaken(format!("连不上{platform}")));
        }
        Err(_) => return Err(Failure::MayHaveArrived(format!("{platform}没有回应，不知道是否已发出"))),
    };
    match response.status().as_u16() {
        // Turned away at the door.
        429 | 503 => return Err(Failure::NotTaken(format!("{platform}暂时不可用"))),
        // What stands behind the gateway may have taken it before the answer was lost.
        500.. => return Err(Failure::MayHaveArrived(format!("{platform}出错，不知道是否已发出"))),
        _ => {}
    }
    let content_type = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let content_type = content_type.to_ascii_lowercase();
    let is_file = response.status().is_success() && FILES.iter().any(|file| content_type.starts_with(file));
    match response.bytes().await {
        // Whatever its type says, what begins like JSON is JSON.
        Ok(body) => Ok(Reply { is_file: is_file && !body.is_empty() && !body.starts_with(b"{"), body: body.to_vec() }),
        Err(_) => Err(Failure::MayHaveArrived(format!("{platform}的回应中断，不知道是否已发出"))),
    }
}

/// The answer as JSON, whatever content type it claims.
pub(super) async fn json(request: RequestBuilder, platform: &str) -> Result<Value, Failure> {
    let unreadable = || Failure::MayHaveArrived(format!("{platform}的回应看不懂，不知道是否已发出"));
    reply(request, platform).await?.object().ok_or_else(unreadable)
}

/// The code of an answer, which may come as a text; none where there is none.
pub(super) fn code(answer: &Value, field: &str) -> Option<i64> {
    let code = &answer[field];
    code.as_i64().or_else(|| code.as_str()?.trim().parse().ok())
}

/// Whether a call to WeChat did what it should.
///
/// # Errors
/// An outcome that is not [`Outcome::Taken`].
pub(super) fn succeeded(answer: &Value, now: DateTime<Utc>) -> Result<(), Outcome> {
    match meaning(Place::WeChatCall, code(answer, "errcode").unwrap_or(0)).outcome(now) {
        Outcome::Taken(_) => Ok(()),
        other => Err(other),
    }
}

/// A number by which the platform tells of a message later, whether it came as a number or as a text.
pub(super) fn reference(answer: &Value) -> Option<String> {
    match &answer["msgid"] {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

//! A request's JSON body, with the key under which a repetition of the same request is recognized.

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header, web::Bytes};
use futures::{FutureExt as _, future::LocalBoxFuture};
use qingfeng_core::{
    ids::ResidentId,
    people::Actor,
    refusal::{FieldFault, Refusal, RefusalKind},
    storage::{Command, IdempotencyKey},
};
use serde::de::DeserializeOwned;

use super::problem::HttpFault;

/// Largest JSON body, in bytes. The longest text anyone may write is a tenth of it.
pub const LARGEST_BODY: usize = 256 * 1024;

/// Header that names the intended act: a client makes it with the draft and sends it again with every retry.
pub const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

/// A parsed JSON body.
#[derive(Debug)]
pub struct Input<T> {
    pub value: T,
    raw: Bytes,
    client_key: Option<String>,
}

impl<T> Input<T> {
    /// The command of this actor, recognized when the same request comes again.
    ///
    /// # Errors
    /// When the key has the wrong form.
    pub fn command(&self, actor: &Actor, operation: &str) -> Result<Command, Refusal> {
        Ok(Command::once(actor, self.key(&sender(actor), operation)?))
    }

    /// The key under which the same request is recognized.
    ///
    /// # Errors
    /// When it has the wrong form.
    pub fn key(&self, sender: &str, operation: &str) -> Result<Option<IdempotencyKey>, Refusal> {
        self.client_key.as_ref().map(|key| IdempotencyKey::parse(sender, operation, key, &self.raw)).transpose()
    }
}

/// Whose keys they are: two people may use the same key by chance.
pub fn sender(actor: &Actor) -> String {
    match actor {
        Actor::Visitor => "visitor".into(),
        Actor::Resident(resident) => resident_sender(resident.id),
        Actor::Staff(staff) => format!("staff:{}", staff.id),
        Actor::Receipt { complaint, .. } => format!("receipt:{complaint}"),
        Actor::System { county } => format!("system:{county}"),
    }
}

/// The same for a resident who is not looked up yet.
pub fn resident_sender(id: ResidentId) -> String {
    format!("resident:{id}")
}

impl<T: DeserializeOwned + 'static> FromRequest for Input<T> {
    type Error = HttpFault;
    type Future = LocalBoxFuture<'static, Result<Self, HttpFault>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let client_key =
            request.headers().get(IDEMPOTENCY_KEY).map(|key| String::from_utf8_lossy(key.as_bytes()).into_owned());
        let json = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok())
            .is_none_or(|kind| kind.starts_with("application/json"));
        let body = Bytes::from_request(request, payload);
        async move {
            if !json {
                return Err(
                    Refusal::new(RefusalKind::UnsupportedType, "not_json", "请求的格式不对，请更新后再试。").into()
                );
            }
            let raw = body.await.map_err(|error| {
                if error.as_response_error().status_code() == actix_web::http::StatusCode::PAYLOAD_TOO_LARGE {
                    Refusal::new(RefusalKind::TooLarge, "body_too_large", "内容太长，请缩短后再提交。")
                } else {
                    Refusal::new(RefusalKind::BadInput, "body_unreadable", "内容没有传完整，请重新提交。")
                }
            })?;
            let value = parse(&raw)?;
            Ok(Self { value, raw, client_key })
        }
        .boxed_local()
    }
}

fn parse<T: DeserializeOwned>(raw: &[u8]) -> Result<T, Refusal> {
    // An absent body is an empty form: each missing field is named.
    let raw = if raw.is_empty() { b"{}" } else { raw };
    let mut deserializer = serde_json::Deserializer::from_slice(raw);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let inner = error.inner();
        if inner.is_syntax() || inner.is_eof() {
            return Refusal::new(RefusalKind::BadInput, "invalid_json", "请求的格式不对，请更新后再试。");
        }
        Refusal::invalid(vec![FieldFault::new(pointer(&error), sentence(&inner.to_string()))])
    })?;
    deserializer
        .end()
        .map_err(|_| Refusal::new(RefusalKind::BadInput, "invalid_json", "请求的格式不对，请更新后再试。"))?;
    Ok(value)
}

fn pointer(error: &serde_path_to_error::Error<serde_json::Error>) -> String {
    let path = error.path().to_string();
    let mut pointer: String = if path == "." {
        String::new()
    } else {
        format!("/{}", path.replace(['.', '['], "/").replace(']', "").replace("//", "/"))
    };
    // The path of a missing field ends at its parent; the message names it.
    let message = error.inner().to_string();
    if let Some(field) = message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
        pointer = format!("{pointer}/{field}");
    }
    pointer
}

fn sentence(message: &str) -> &'static str {
    if message.starts_with("missing field") {
        "这一项必须填写。"
    } else if message.starts_with("unknown field") {
        "没有这一项。"
    } else if message.starts_with("unknown variant") {
        "没有这个选项。"
    } else {
        "这一项的格式不对。"
    }
}

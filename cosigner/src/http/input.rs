//! What comes in: bodies, and who sent them.

use std::net::{IpAddr, Ipv4Addr};

use actix_web::{HttpRequest, web::Bytes};
use qingfeng_ballots::{Hex, messages};
use serde::de::DeserializeOwned;

use super::problem::HttpFault;
use crate::{
    Authority,
    fault::{Kind, Refusal},
};

/// Largest body of a phone.
pub(super) const LARGEST_PHONE_BODY: usize = 16 * 1024;
/// Largest body of the platform: the roll of a large township.
pub(super) const LARGEST_OPERATOR_BODY: usize = 32 * 1024 * 1024;

/// Header with the platform's signature over method, address and body.
pub const SIGNATURE_HEADER: &str = "Qingfeng-Signature";

pub(super) type Body = Result<Bytes, actix_web::Error>;

pub(super) fn whole(body: Body) -> Result<Bytes, HttpFault> {
    body.map_err(|error| {
        if error.as_response_error().status_code() == actix_web::http::StatusCode::PAYLOAD_TOO_LARGE {
            Refusal::new(Kind::TooLarge, "body_too_large", "内容太长。").into()
        } else {
            Refusal::new(Kind::BadInput, "body_unreadable", "内容没有传完整，请重试。").into()
        }
    })
}

pub(super) fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, HttpFault> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        Refusal::invalid("请求的格式不对，请更新后再试。").with("pointer", error.path().to_string())
    })?;
    deserializer.end().map_err(|_| Refusal::invalid("请求的格式不对，请更新后再试。"))?;
    Ok(value)
}

/// The body of a request that the pinned platform has signed.
pub(super) fn from_platform(authority: &Authority, request: &HttpRequest, body: Body) -> Result<Bytes, HttpFault> {
    let body = whole(body)?;
    let signature =
        request.headers().get(SIGNATURE_HEADER).and_then(|value| value.to_str().ok()).and_then(Hex::<64>::parse);
    let address = request.uri().path_and_query().map_or(request.path(), |address| address.as_str());
    let message = messages::operator_request(request.method().as_str(), address, &body);
    let signed = authority
        .platform
        .as_ref()
        .zip(signature)
        .is_some_and(|(platform, signature)| platform.has_signed(&message, &signature));
    if signed {
        Ok(body)
    } else {
        Err(Refusal::new(Kind::Unauthenticated, "not_the_platform", "请求没有平台的签名。").into())
    }
}

/// Whose wrong codes are counted together. Used in memory, never kept. Only the last entry is the proxy's own, in the last line
/// where it adds one: everything before is what the caller wrote.
pub(super) fn caller(authority: &Authority, request: &HttpRequest) -> IpAddr {
    let told = authority.settings.http.behind_proxy.then(|| {
        let header = request.headers().get_all("X-Forwarded-For").next_back()?.to_str().ok()?;
        header.rsplit(',').next()?.trim().parse().ok()
    });
    told.flatten()
        .or_else(|| request.peer_addr().map(|address| address.ip()))
        .unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}

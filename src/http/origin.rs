//! How often one place asks what anybody may ask, counted without knowing the place.

use std::{
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use actix_web::HttpRequest;
use qingfeng_core::refusal::Fault;

use crate::Application;

/// Whether so many requests about this have come from the same address within the window before this one. What stands in the
/// cache leads to no address: who asks is nobody's business.
///
/// # Errors
/// When the cache does not answer.
pub(super) async fn is_one_too_many(
    application: &Application,
    request: &HttpRequest,
    about: &str,
    (most, window): (u32, Duration),
) -> Result<bool, Fault> {
    Ok(application.cache.take_slot(&slot(application, request, about), most, window).await?.is_some())
}

/// Counts the last request of this place about this no more: it was none of those that are to be limited.
pub(super) async fn count_no_more(application: &Application, request: &HttpRequest, about: &str) {
    // What it did is done: a cache that does not answer now must not turn it into a failure. Then it stays counted.
    let _ = application.cache.give_back_slot(&slot(application, request, about)).await;
}

fn slot(application: &Application, request: &HttpRequest, about: &str) -> String {
    let place = caller(application, request).map_or_else(String::new, |address| place(address).to_string());
    application.sealer.pseudonym(about, &place)
}

/// Who sends it: as the proxy says where there is one, else as the connection does. Only the last entry is the proxy's own, in
/// the last line where it adds one: everything before is what the caller wrote.
fn caller(application: &Application, request: &HttpRequest) -> Option<IpAddr> {
    let told = application.config.http.behind_proxy.then(|| {
        let line = request.headers().get_all("X-Forwarded-For").next_back()?.to_str().ok()?;
        line.rsplit(',').next()?.trim().parse().ok()
    });
    told.flatten().or_else(|| request.peer_addr().map(|address| address.ip()))
}

/// Addresses that one connection has at will are one place: of version 6 it gets 2⁶⁴.
fn place(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        version_4 @ IpAddr::V4(_) => version_4,
    }
}

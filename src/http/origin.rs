//! How often one place asks what anybody may ask, counted without knowing the place.

use std::time::Duration;

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
    let address = request.peer_addr().map_or_else(String::new, |address| address.ip().to_string());
    let slot = application.sealer.pseudonym(about, &address);
    Ok(application.cache.take_slot(&slot, most, window).await?.is_some())
}

//! The pages on which people see what arrived.

use actix_web::{
    Error, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
    web,
};

pub(crate) fn routes(_: &mut web::ServiceConfig) {}

/// Refuses writes that another website's page sends.
pub(crate) async fn guard(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let foreign = header("sec-fetch-site").is_some_and(|site| site == "cross-site" || site == "same-site");
    if foreign && !request.method().is_safe() {
        return Ok(request.into_response(HttpResponse::Forbidden().body("cross-site request")));
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}

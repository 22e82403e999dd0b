//! What every page and every write has in common: nothing runs that the simulator did not serve itself.

use actix_web::{
    Error, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::{HeaderName, HeaderValue},
    middleware::Next,
    web,
};

use crate::Sandbox;

/// Refuses writes that another website's page sends and sets the security headers.
pub(crate) async fn guard(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let foreign = header("sec-fetch-site").is_some_and(|site| site == "cross-site" || site == "same-site");
    let policy = policy(&request);
    let mut response = if foreign && !request.method().is_safe() {
        request.into_response(HttpResponse::Forbidden().body("cross-site request"))
    } else {
        next.call(request).await?.map_into_boxed_body()
    };
    let headers = response.headers_mut();
    for (name, value) in [
        ("content-security-policy", policy.as_str()),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-cache"),
    ] {
        let value = HeaderValue::from_str(value).expect("the policy is made of printable ASCII");
        headers.insert(HeaderName::from_static(name), value);
    }
    Ok(response)
}

/// Scripts and styles from here only, none inline. Articles show pictures of the product's server. A form may lead to
/// the app: browsers check where a form's answer redirects to.
fn policy(request: &ServiceRequest) -> String {
    let app = request
        .app_data::<web::Data<Sandbox>>()
        .and_then(|sandbox| url::Url::parse(&sandbox.account().app_url).ok())
        .map(|url| url.origin().ascii_serialization())
        .unwrap_or_default();
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' https: http: data:; \
         form-action 'self' {app}; base-uri 'none'; frame-ancestors 'none'"
    )
}

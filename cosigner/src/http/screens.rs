//! The residents' app, served from the co-signer's own host: who loads it here has not loaded it from the platform.

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use rust_embed::{EmbeddedFile, RustEmbed};

use super::problem::{Answer, no_such_address};
use crate::Settings;

#[derive(RustEmbed)]
#[folder = "../app/dist/h5"]
#[allow_missing = true]
struct ResidentsApp;

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/", web::get().to(async || to_app()))
        .route("/app", web::get().to(async || to_app()))
        .route("/app/{path:.*}", web::get().to(residents_app));
}

/// Nothing may be loaded from another host; the app speaks with this program, the platform and the box.
pub(super) fn content_security_policy(settings: &Settings) -> String {
    let mut connect = vec!["'self'".to_owned()];
    for address in [&settings.platform.url, &settings.platform.box_url, &settings.http.public_url] {
        let origin = url::Url::parse(address).map(|url| url.origin().ascii_serialization());
        connect.extend(origin.ok().filter(|origin| !connect.contains(origin)));
    }
    format!(
        "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; \
         font-src 'self' data:; connect-src {}; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
        connect.join(" ")
    )
}

fn to_app() -> HttpResponse {
    HttpResponse::Found().insert_header((header::LOCATION, "/app/")).finish()
}

async fn residents_app(request: HttpRequest, path: web::Path<String>) -> Answer<HttpResponse> {
    if let Some(file) = ResidentsApp::get(&path) {
        return Ok(serve(&request, &path, file));
    }
    // Pages of the app are addresses without a file: the app itself shows them.
    match ResidentsApp::get("index.html") {
        Some(index) if !path.contains('.') => Ok(serve(&request, "index.html", index)),
        _ => Err(no_such_address()),
    }
}

fn serve(request: &HttpRequest, path: &str, file: EmbeddedFile) -> HttpResponse {
    let etag = format!("\"{}\"", hex::encode(&file.metadata.sha256_hash()[..16]));
    if request.headers().get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes()) {
        return HttpResponse::NotModified().insert_header((header::ETAG, etag)).finish();
    }
    // Names of built scripts and styles carry a hash of their content; the page that names them does not.
    let keep = if path.ends_with(".html") { "no-cache" } else { "public, max-age=31536000, immutable" };
    HttpResponse::Ok()
        .content_type(mime_guess::from_path(path).first_or_octet_stream())
        .insert_header((header::ETAG, etag))
        .insert_header((header::CACHE_CONTROL, keep))
        .body(file.data)
}

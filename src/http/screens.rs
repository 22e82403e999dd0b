//! The residents' app, built from `app/` and embedded into the program, and the page at `/`.

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::{Application, landing};

#[derive(RustEmbed)]
#[folder = "app/dist/h5"]
#[allow_missing = true]
struct ResidentsApp;

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/", web::get().to(front_page))
        .route("/app", web::get().to(async || redirect("/app/")))
        .route("/app/{path:.*}", web::get().to(residents_app));
}

fn redirect(to: &'static str) -> HttpResponse {
    HttpResponse::Found().insert_header((header::LOCATION, to)).finish()
}

async fn front_page(application: web::Data<Application>) -> HttpResponse {
    let built = ResidentsApp::get("index.html").is_some();
    HttpResponse::Ok().content_type("text/html; charset=utf-8").body(landing::page(&application, built))
}

async fn residents_app(request: HttpRequest, path: web::Path<String>) -> HttpResponse {
    if let Some(file) = ResidentsApp::get(&path) {
        return serve(&request, &path, file);
    }
    // Pages of the app are addresses without a file: the app itself shows them.
    match ResidentsApp::get("index.html") {
        Some(index) if !path.contains('.') => serve(&request, "index.html", index),
        Some(_) => HttpResponse::NotFound().finish(),
        None => redirect("/"),
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

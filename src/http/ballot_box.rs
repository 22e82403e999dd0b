//! The ballot box's own listener: no login, no cookie, no log. Whoever throws something in is nobody.
//!
//! It answers a few fixed things of fixed length, and hands out whole files only: what is asked for tells nothing.

use std::time::Duration;

use actix_cors::Cors;
use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    dev::Server,
    http::{StatusCode, header},
    web,
};
use qingfeng_ballots::outer::Outer;
use qingfeng_core::sealed_surveys::{
    BallotBoxId,
    queries::{self, FILES, Reader},
    service::{Thrown, find_box, throw_in},
};
use sha2::{Digest, Sha256};

use crate::Application;

/// Every answer with words has this many bytes.
const ANSWER_LENGTH: usize = 64;

/// Serves the box alone on its listener.
///
/// # Errors
/// When the listener cannot be used.
pub fn serve(application: web::Data<Application>, listener: std::net::TcpListener) -> std::io::Result<Server> {
    let shutdown = application.config.http.shutdown_seconds;
    // No logger, and none in what is called here: neither addresses nor times are written down.
    let server = HttpServer::new(move || {
        App::new()
            .app_data(application.clone())
            .app_data(web::PayloadConfig::new(Outer::LENGTH + 1))
            .wrap(anybody())
            .route("/healthz", web::get().to(async || HttpResponse::Ok().body("ok")))
            .route("/v1/{sid}", web::post().to(throw))
            .route("/v1/{sid}/{file}", web::get().to(read))
            .default_service(web::to(async || fixed(StatusCode::NOT_FOUND, "no_box")))
    })
    .shutdown_timeout(shutdown)
    .client_request_timeout(Duration::from_secs(20))
    .workers(2)
    .listen(listener)?;
    Ok(server.run())
}

/// Pages of the platform, of the co-signer, the mini-program: any origin, never with credentials.
fn anybody() -> Cors {
    Cors::default()
        .allow_any_origin()
        .send_wildcard()
        .allowed_methods(["GET", "POST"])
        .allowed_header(header::CONTENT_TYPE)
        .max_age(3600)
}

fn fixed(status: StatusCode, code: &str) -> HttpResponse {
    let body = format!("{{\"code\":\"{code}\"}}");
    let body = format!("{body:<ANSWER_LENGTH$}");
    HttpResponse::build(status)
        .content_type("application/json")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(body)
}

async fn throw(
    application: web::Data<Application>,
    path: web::Path<String>,
    body: Result<web::Bytes, actix_web::Error>,
) -> HttpResponse {
    let Ok(sid) = path.parse::<BallotBoxId>() else { return fixed(StatusCode::NOT_FOUND, "no_box") };
    let Ok(body) = body else { return fixed(StatusCode::BAD_REQUEST, "bad_form") };
    match Box::pin(throw_in(&application.store, sid, &body)).await {
        Ok(Thrown::In) => HttpResponse::NoContent().insert_header((header::CACHE_CONTROL, "no-store")).finish(),
        Ok(Thrown::NoBox) => fixed(StatusCode::NOT_FOUND, "no_box"),
        Ok(Thrown::BadForm) => fixed(StatusCode::BAD_REQUEST, "bad_form"),
        Ok(Thrown::NoTicket) => fixed(StatusCode::FORBIDDEN, "ticket"),
        Ok(Thrown::Stale) => fixed(StatusCode::CONFLICT, "stale_seq"),
        Ok(Thrown::Closed) => fixed(StatusCode::GONE, "closed"),
        // What went wrong may name what was thrown in.
        Err(_) => fixed(StatusCode::SERVICE_UNAVAILABLE, "later"),
    }
}

async fn read(
    application: web::Data<Application>,
    path: web::Path<(String, String)>,
    request: HttpRequest,
) -> HttpResponse {
    let nothing = || fixed(StatusCode::NOT_FOUND, "no_file");
    let (sid, name) = path.into_inner();
    let Some(name) = FILES.into_iter().find(|known| *known == name) else { return nothing() };
    let Ok(sid) = sid.parse::<BallotBoxId>() else { return nothing() };
    let Ok(row) = find_box(&application.store, sid).await else { return nothing() };
    match queries::file(&application.store, &row, name, Reader::Public).await {
        Ok(Some(content)) => {
            let kind = if name.ends_with(".jsonl") { "application/x-ndjson" } else { "application/json" };
            whole_file(&request, kind, content)
        }
        Ok(None) => nothing(),
        Err(_) => fixed(StatusCode::SERVICE_UNAVAILABLE, "later"),
    }
}

/// A whole file, or that the reader has it already.
pub(super) fn whole_file(request: &HttpRequest, kind: &str, content: Vec<u8>) -> HttpResponse {
    let etag = format!("\"{}\"", hex::encode(&Sha256::digest(&content)[..16]));
    if request.headers().get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes()) {
        return HttpResponse::NotModified().insert_header((header::ETAG, etag)).finish();
    }
    HttpResponse::Ok()
        .content_type(kind)
        .insert_header((header::ETAG, etag))
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .body(content)
}

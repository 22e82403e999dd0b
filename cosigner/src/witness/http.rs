use std::{net::TcpListener, sync::Arc, time::Duration};

use actix_web::{
    App, HttpResponse, HttpServer,
    dev::Server,
    http::{StatusCode, header},
    web::{self, Bytes},
};

use super::{Witness, WitnessRefusal};

/// Far more than a note with a proof has.
const LARGEST_REQUEST: usize = 64 * 1024;

pub(super) fn serve(witness: Arc<Witness>, listener: TcpListener, shutdown_seconds: u64) -> std::io::Result<Server> {
    let server = HttpServer::new(move || {
        App::new()
            .app_data(web::Data::from(witness.clone()))
            .app_data(web::PayloadConfig::new(LARGEST_REQUEST))
            .route("/add-checkpoint", web::post().to(add_checkpoint))
            .route("/v1/keys", web::get().to(keys))
            .route("/healthz", web::get().to(async || plain(StatusCode::OK, "ok")))
            .default_service(web::to(async || plain(StatusCode::NOT_FOUND, "not found")))
    })
    .workers(1)
    .shutdown_timeout(shutdown_seconds)
    .client_request_timeout(Duration::from_secs(20))
    .disable_signals()
    .listen(listener)?;
    Ok(server.run())
}

fn plain(status: StatusCode, body: impl Into<String>) -> HttpResponse {
    HttpResponse::build(status).content_type("text/plain; charset=utf-8").body(body.into())
}

async fn keys(witness: web::Data<Witness>) -> HttpResponse {
    plain(StatusCode::OK, format!("witness {}\n", witness.public_key()))
}

async fn add_checkpoint(witness: web::Data<Witness>, body: Result<Bytes, actix_web::Error>) -> HttpResponse {
    let Ok(body) = body else { return plain(StatusCode::BAD_REQUEST, WitnessRefusal::Malformed.to_string()) };
    let answer = web::block(move || witness.add_checkpoint(&body)).await;
    match answer {
        Ok(Ok(line)) => HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(line),
        Ok(Err(refusal)) => refused(&refusal),
        Err(error) => refused(&WitnessRefusal::Memory(std::io::Error::other(error.to_string()))),
    }
}

/// The statuses of C2SP tlog-witness.
fn refused(refusal: &WitnessRefusal) -> HttpResponse {
    match refusal {
        WitnessRefusal::Malformed => plain(StatusCode::BAD_REQUEST, refusal.to_string()),
        WitnessRefusal::UnknownKey => plain(StatusCode::FORBIDDEN, refusal.to_string()),
        WitnessRefusal::BadProof => plain(StatusCode::UNPROCESSABLE_ENTITY, refusal.to_string()),
        WitnessRefusal::Elsewhere(size) => {
            HttpResponse::Conflict().insert_header((header::CONTENT_TYPE, "text/x.tlog.size")).body(format!("{size}\n"))
        }
        WitnessRefusal::Memory(error) => {
            tracing::error!(%error, "the witness's memory");
            plain(StatusCode::SERVICE_UNAVAILABLE, "the witness cannot remember; nothing is signed")
        }
    }
}

//! Who this is, with which keys, and what was minuted: for everybody.

use actix_cors::Cors;
use actix_web::{HttpResponse, http::header, web};
use serde_json::json;

use super::problem::Answer;
use crate::Authority;

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/api/site").wrap(cors()).route(web::get().to(site)))
        .service(web::resource("/v1/keys").wrap(cors()).route(web::get().to(keys)))
        .service(web::resource("/v1/minutes").wrap(cors()).route(web::get().to(minutes)))
        .route("/healthz", web::get().to(alive))
        .route("/readyz", web::get().to(ready));
}

/// Phones come from pages of the platform and from the mini-program: any origin, never with credentials.
pub(super) fn cors() -> Cors {
    Cors::default()
        .allow_any_origin()
        .send_wildcard()
        .allowed_methods(["GET", "POST"])
        .allowed_header(header::CONTENT_TYPE)
        .max_age(3600)
}

impl Authority {
    /// Lines `platform KEY`, `cosigner KEY`, `witness KEY`: what this co-signer trusts, and itself.
    #[must_use]
    pub fn verifier_key_lines(&self) -> Vec<String> {
        let platform = self.platform.iter().map(|key| format!("platform {}", key.text()));
        let own = [format!("cosigner {}", self.log_signer().public)];
        let witnesses = self.witnesses.iter().map(|key| format!("witness {}", key.text()));
        platform.chain(own).chain(witnesses).collect()
    }
}

async fn site(authority: web::Data<Authority>) -> HttpResponse {
    let settings = &authority.settings;
    HttpResponse::Ok().json(json!({
        "served_by": "cosigner",
        "single_operator": settings.surveys.single_operator,
        "platform": settings.platform.url,
        "cosigner": settings.http.public_url,
        "box": settings.platform.box_url,
        "vkeys": authority.verifier_key_lines(),
        "demo": settings.http.demo,
    }))
}

async fn keys(authority: web::Data<Authority>) -> HttpResponse {
    let lines = authority.verifier_key_lines().join("\n");
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(format!("{lines}\n"))
}

async fn minutes(authority: web::Data<Authority>) -> Answer<HttpResponse> {
    Ok(HttpResponse::Ok().json(authority.minutes().await?))
}

async fn alive() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ok")
}

async fn ready(authority: web::Data<Authority>) -> Answer<HttpResponse> {
    use sea_orm::ConnectionTrait;
    authority.store.reader().execute_unprepared("SELECT 1").await?;
    let body = if authority.platform.is_some() { "ok" } else { "degraded\nno platform key is pinned" };
    Ok(HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(body))
}

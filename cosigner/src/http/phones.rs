//! What phones ask: enrol, co-sign. No login, no cookie, no access log.

use actix_web::{HttpRequest, HttpResponse, http::header, web};

use super::{
    input::{Body, LARGEST_PHONE_BODY, caller, json, whole},
    problem::Answer,
    site::cors,
};
use crate::{Authority, surveys::AskedBy};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    let largest = || web::PayloadConfig::new(LARGEST_PHONE_BODY);
    config
        .service(web::resource("/v1/enrolments").app_data(largest()).wrap(cors()).route(web::post().to(enrol)))
        .service(web::resource("/v1/cosign").app_data(largest()).wrap(cors()).route(web::post().to(cosign)));
}

async fn enrol(authority: web::Data<Authority>, request: HttpRequest, body: Body) -> Answer<HttpResponse> {
    let enrolled = authority.enrol(&json(&whole(body)?)?, caller(&authority, &request)).await?;
    let mut answer = if enrolled.again { HttpResponse::Ok() } else { HttpResponse::Created() };
    Ok(answer.insert_header((header::CACHE_CONTROL, "no-store")).json(enrolled))
}

async fn cosign(authority: web::Data<Authority>, request: HttpRequest, body: Body) -> Answer<HttpResponse> {
    // Browsers name the page that asks; the mini-program has none.
    let asked_by = if request.headers().contains_key(header::ORIGIN) { AskedBy::Page } else { AskedBy::Program };
    let cosigned = authority.cosign(&json(&whole(body)?)?, asked_by).await?;
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(cosigned))
}

//! Who serves what, with which keys: read by the app before anything anonymous.

use actix_web::{get, web};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::Application;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(site);
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ServedBy {
    Platform,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Site {
    served_by: ServedBy,
    /// Township and co-signer are one operator: level 1 at best.
    single_operator: bool,
    platform: String,
    cosigner: String,
    #[serde(rename = "box")]
    box_address: String,
    /// Lines `platform KEY`, `cosigner KEY`, `witness KEY`; the platform's own alone while the others' are not known.
    vkeys: Vec<String>,
    demo: bool,
}

/// Addresses of platform, co-signer and ballot box, and the keys of the public log.
#[utoipa::path(tag = "sealed surveys", responses((status = 200, body = Site)))]
#[get("/site")]
async fn site(application: web::Data<Application>) -> web::Json<Site> {
    let (config, quorum) = (&application.config, &application.quorum);
    let own = || vec![format!("platform {}", quorum.client.signer().public())];
    web::Json(Site {
        served_by: ServedBy::Platform,
        single_operator: quorum.single_operator,
        platform: config.http.public_url.clone(),
        cosigner: config.ballots.cosigner_address(),
        box_address: config.ballots.box_public_url.clone(),
        vkeys: quorum.vkeys().await.unwrap_or_else(|_| own()),
        demo: config.http.demo,
    })
}

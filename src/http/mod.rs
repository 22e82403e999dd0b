//! The REST API: one file per resource, each with its handlers, its types and their description.

mod absences;
pub mod access_token;
mod account_links;
mod act;
mod alarms;
pub mod authentication;
pub mod ballot_box;
pub mod board;
mod callbacks;
mod campaigns;
mod complaints;
mod consents;
mod cosigner;
mod deadlines;
mod desk;
mod duties;
mod files;
mod group_posts;
mod handover;
mod health;
pub mod input;
mod invitations;
mod me;
mod message_templates;
mod messages;
mod opt_out;
mod organizations;
mod origin;
mod prepared_posts;
pub mod problem;
mod problems;
mod rectifications;
mod screens;
mod sealed_reports;
mod sealed_survey_results;
mod sealed_surveys;
mod sending;
mod sign_in;
mod site;
mod surveys;
mod wecom_sign_in;

use std::time::Duration;

use actix_cors::Cors;
use actix_web::{
    App, HttpServer,
    dev::Server,
    http::header,
    middleware::{Compress, DefaultHeaders},
    web,
};
use utoipa::{
    Modify, OpenApi,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};
use utoipa_actix_web::{AppExt as _, scope, service_config::ServiceConfig};
use utoipa_swagger_ui::SwaggerUi;

use crate::{Application, config::Ballots};

/// Nothing may be loaded from or framed by another host, and nothing sent but to co-signer and ballot box.
fn content_security_policy(ballots: &Ballots) -> String {
    let (cosigner, ballot_box) = (ballots.cosigner_address(), &ballots.box_public_url);
    format!(
        "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; \
         font-src 'self' data:; connect-src 'self' {cosigner} {ballot_box}; frame-ancestors 'none'; base-uri 'none'; \
         form-action 'self'"
    )
}

/// The co-signer serves the same app: its page may call the API, with a token but never with cookies.
fn from_the_cosigners_page(ballots: &Ballots) -> Cors {
    let cors = Cors::default()
        .allowed_methods(["GET", "POST", "PUT", "DELETE"])
        .allowed_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
        .allowed_header(input::IDEMPOTENCY_KEY)
        .max_age(3600);
    match url::Url::parse(&ballots.cosigner_address()) {
        Ok(cosigner) => cors.allowed_origin(&cosigner.origin().ascii_serialization()),
        Err(_) => cors,
    }
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "清风 Qingfeng",
        description = "Complaints, rectification, evaluation and publication for townships. \
                       Errors are problem JSON (RFC 9457) with a stable `code`. \
                       Acts take an `Idempotency-Key` header: the same key with the same content is done once.",
        license(name = "Apache-2.0")
    ),
    modifiers(&AccessToken)
)]
struct Description;

struct AccessToken;

impl Modify for AccessToken {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
        description
            .components
            .get_or_insert_default()
            .add_security_scheme("access_token", SecurityScheme::Http(scheme));
    }
}

/// Every route of the API. A new resource is registered here.
fn api(config: &mut ServiceConfig) {
    config.service(
        scope::scope("/api")
            // Routes are tried in this order: the page that everybody reads comes first.
            .configure(board::routes)
            .configure(sign_in::routes)
            .configure(wecom_sign_in::routes)
            .configure(me::routes)
            .configure(consents::routes)
            .configure(account_links::routes)
            .configure(opt_out::routes)
            .configure(invitations::routes)
            .configure(files::routes)
            .configure(organizations::routes)
            .configure(complaints::routes)
            .configure(desk::routes)
            .configure(campaigns::routes)
            .configure(duties::routes)
            .configure(problems::routes)
            .configure(rectifications::routes)
            .configure(sealed_survey_results::routes)
            .configure(surveys::routes)
            .configure(sealed_surveys::routes)
            .configure(sealed_reports::routes)
            .configure(site::routes)
            .configure(handover::routes)
            .configure(cosigner::routes)
            .configure(messages::routes)
            .configure(message_templates::routes)
            .configure(prepared_posts::routes)
            .configure(group_posts::routes)
            .configure(deadlines::routes)
            .configure(absences::routes)
            .configure(sending::routes)
            .configure(alarms::routes),
    );
    health::routes(config);
}

/// The API's description, OpenAPI 3.1.
#[must_use]
pub fn description() -> utoipa::openapi::OpenApi {
    App::new().into_utoipa_app().openapi(Description::openapi()).configure(api).split_for_parts().1
}

/// Starts serving on the listener.
///
/// # Errors
/// When the listener cannot be used.
pub fn serve(application: web::Data<Application>, listener: std::net::TcpListener) -> std::io::Result<Server> {
    let settings = application.config.http.clone();
    let ballots = application.config.ballots.clone();
    let policy = content_security_policy(&ballots);
    let description = description();
    let mut server = HttpServer::new(move || {
        App::new()
            .into_utoipa_app()
            .configure(api)
            .into_app()
            .app_data(application.clone())
            .app_data(web::PayloadConfig::new(input::LARGEST_BODY))
            .app_data(web::PathConfig::default().error_handler(|error, _| problem::bad_address(error)))
            .app_data(web::QueryConfig::default().error_handler(|error, _| problem::bad_query(&error)))
            .wrap(Compress::default())
            .wrap(from_the_cosigners_page(&ballots))
            .wrap(
                DefaultHeaders::new()
                    .add(("Content-Security-Policy", policy.as_str()))
                    .add(("X-Content-Type-Options", "nosniff"))
                    .add(("Referrer-Policy", "no-referrer")),
            )
            .service(SwaggerUi::new("/docs/{_:.*}").url("/openapi.json", description.clone()))
            .configure(callbacks::routes)
            .configure(screens::routes)
            .default_service(web::to(no_such_address))
    })
    .shutdown_timeout(settings.shutdown_seconds)
    .client_request_timeout(Duration::from_secs(20))
    .listen(listener)?;
    if settings.workers > 0 {
        server = server.workers(settings.workers);
    }
    Ok(server.run())
}

async fn no_such_address() -> actix_web::Result<actix_web::HttpResponse> {
    Err(problem::bad_address(()))
}

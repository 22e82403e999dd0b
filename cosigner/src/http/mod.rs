//! The co-signer's HTTP server. It writes no access log: a phone's request leaves no trace but the row it makes.

mod input;
mod phones;
mod problem;
mod screens;
mod site;
mod surveys;

use std::{net::TcpListener, time::Duration};

use actix_web::{App, HttpServer, dev::Server, middleware::DefaultHeaders, web};

pub use input::SIGNATURE_HEADER;

use crate::Authority;

/// Starts serving on the listener.
///
/// # Errors
/// When the listener cannot be used.
pub fn serve(authority: web::Data<Authority>, listener: TcpListener) -> std::io::Result<Server> {
    let settings = authority.settings.http.clone();
    let policy = screens::content_security_policy(&authority.settings);
    let mut server = HttpServer::new(move || {
        App::new()
            .app_data(authority.clone())
            .wrap(
                DefaultHeaders::new()
                    .add(("Content-Security-Policy", policy.as_str()))
                    .add(("X-Content-Type-Options", "nosniff"))
                    .add(("Referrer-Policy", "no-referrer")),
            )
            .configure(phones::routes)
            .configure(site::routes)
            .configure(surveys::routes)
            .configure(screens::routes)
            .default_service(web::to(async || {
                Err::<actix_web::HttpResponse, _>(actix_web::Error::from(problem::no_such_address()))
            }))
    })
    .shutdown_timeout(settings.shutdown_seconds)
    .client_request_timeout(Duration::from_secs(20))
    // Signals are the program's business, not the library's.
    .disable_signals()
    .listen(listener)?;
    if settings.workers > 0 {
        server = server.workers(settings.workers);
    }
    Ok(server.run())
}

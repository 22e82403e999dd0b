use actix_web::web;
use anyhow::Context;

use crate::{Application, Config, http::ballot_box};

/// Serves the ballot box until the program is told to stop.
pub(super) async fn serve(config: Config) -> anyhow::Result<()> {
    let bind = &config.ballots.box_bind;
    let listener = std::net::TcpListener::bind(bind).with_context(|| format!("cannot listen on {bind}"))?;
    let application = web::Data::new(Application::start_real(config).await?);
    ballot_box::serve(application, listener)?.await?;
    Ok(())
}

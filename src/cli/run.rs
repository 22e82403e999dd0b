use actix_web::web;
use anyhow::Context;
use clap::Args;

use crate::{Application, Config, http};

#[derive(Debug, Default, Args)]
pub(super) struct Run {}

impl Run {
    pub(super) async fn execute(self, config: Config) -> anyhow::Result<()> {
        let listener = std::net::TcpListener::bind(&config.http.bind)
            .with_context(|| format!("cannot listen on {}", config.http.bind))?;
        let address = config.http.public_url.clone();
        let application = web::Data::new(Application::start(config, super::real_surroundings()).await?);
        tracing::info!(%address, "ready");
        http::serve(application, listener)?.await?;
        tracing::info!("stopped");
        Ok(())
    }
}

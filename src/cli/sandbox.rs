use clap::Args;

use crate::{Config, demo};

#[derive(Debug, Args)]
pub(super) struct Sandbox {
    /// Begin with the demo township's phones and groups.
    #[arg(long)]
    demo: bool,
}

impl Sandbox {
    /// Serves the platform simulator until the program is told to stop.
    pub(super) async fn execute(self, config: &Config) -> anyhow::Result<()> {
        let mut config = config.clone();
        if self.demo && config.official_account.is_none() {
            demo::use_simulated_account(&mut config);
        }
        let running = demo::start_simulator(&config, self.demo)?;
        tracing::info!(address = %running.address, "the simulator is ready");
        tokio::signal::ctrl_c().await?;
        running.stop().await;
        Ok(())
    }
}

use std::path::PathBuf;

use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::{Application, Config};

/// 清风机器人：到期提醒、村民群公示、消息投递
#[derive(Debug, Parser)]
#[command(name = "qingfeng-bot", version)]
struct Arguments {
    /// Configuration file (TOML); the same as the API's.
    #[arg(long, short, env = "QINGFENG_CONFIG")]
    config: Option<PathBuf>,
}

/// Runs the bot alone until it is told to stop; the round it is in is finished.
///
/// # Errors
/// When the configuration is wrong or something it names does not answer.
pub async fn run() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let config = Config::load(arguments.config.as_deref())?;
    super::logging::start(&config.log);
    let application = Application::start_real(config).await?;
    let bot = super::run::bot(&application)?;
    let stop = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate())?;
    let told = stop.clone();
    actix_web::rt::spawn(async move {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        told.cancel();
    });
    tracing::info!("the bot works");
    bot.run(stop).await;
    tracing::info!("stopped");
    Ok(())
}

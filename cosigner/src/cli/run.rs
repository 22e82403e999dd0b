use clap::Args;
use tokio::sync::oneshot;

use crate::{Cosigner, Settings, witness::RunningWitness};

#[derive(Debug, Default, Args)]
pub(super) struct Serve {
    /// Stop, too, when standard input ends: for a program that starts this one and may be killed itself.
    #[arg(long)]
    stop_with_input: bool,
}

/// Serves until it is told to stop.
pub(super) async fn cosigner(settings: Settings, serve: &Serve) -> anyhow::Result<()> {
    let (clock, randomness) = (super::clock(&settings), super::randomness());
    let cosigner = Cosigner::start(settings, clock, randomness).await?;
    let key = &cosigner.authority.log_signer().public;
    tracing::info!(address = %cosigner.address, key, "the co-signer serves");
    if cosigner.authority.platform.is_none() {
        tracing::warn!("no platform key is pinned: no survey can be agreed");
    }
    serve.told_to_stop().await?;
    cosigner.stop().await;
    tracing::info!("stopped");
    Ok(())
}

/// Serves until it is told to stop.
pub(super) async fn witness(settings: &Settings, serve: &Serve) -> anyhow::Result<()> {
    let witness = RunningWitness::start(settings, &super::randomness())?;
    tracing::info!(address = %witness.address, key = witness.witness.public_key(), "the witness serves");
    serve.told_to_stop().await?;
    witness.stop().await;
    tracing::info!("stopped");
    Ok(())
}

impl Serve {
    async fn told_to_stop(&self) -> anyhow::Result<()> {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminated = signal(SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted?,
            _ = terminated.recv() => {}
            () = end_of_input(), if self.stop_with_input => {}
        }
        Ok(())
    }
}

/// Waits on a thread of its own, which nobody waits for when the program ends in another way.
async fn end_of_input() {
    let (tell, told) = oneshot::channel();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        let _ = tell.send(());
    });
    let _ = told.await;
}

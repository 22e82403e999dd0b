use crate::{Cosigner, Settings, witness::RunningWitness};

/// Serves until it is told to stop.
pub(super) async fn cosigner(settings: Settings) -> anyhow::Result<()> {
    let (clock, randomness) = (super::clock(&settings), super::randomness());
    let cosigner = Cosigner::start(settings, clock, randomness).await?;
    let key = &cosigner.authority.log_signer().public;
    tracing::info!(address = %cosigner.address, key, "the co-signer serves");
    if cosigner.authority.platform.is_none() {
        tracing::warn!("no platform key is pinned: no survey can be agreed");
    }
    told_to_stop().await?;
    cosigner.stop().await;
    tracing::info!("stopped");
    Ok(())
}

/// Serves until it is told to stop.
pub(super) async fn witness(settings: &Settings) -> anyhow::Result<()> {
    let witness = RunningWitness::start(settings, &super::randomness())?;
    tracing::info!(address = %witness.address, key = witness.witness.public_key(), "the witness serves");
    told_to_stop().await?;
    witness.stop().await;
    tracing::info!("stopped");
    Ok(())
}

async fn told_to_stop() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminated.recv() => {}
    }
    Ok(())
}

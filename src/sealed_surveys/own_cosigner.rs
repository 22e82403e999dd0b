//! A co-signer and a witness inside this program, for installations that have none of their own. That protects from outsiders
//! and from a stolen database, not from the operator: level 1, and every screen says so.

use std::sync::Arc;

use anyhow::Context;
use qingfeng_core::clock::Clock;
use qingfeng_cosigner::{Cosigner, Settings, config::Counting, randomness::SystemRandomness, witness::RunningWitness};

use crate::{Config, secrets::Secrets};

/// Both, serving.
#[derive(Debug)]
pub struct OwnCosigner {
    pub cosigner: Cosigner,
    pub witness: RunningWitness,
}

impl OwnCosigner {
    /// Starts both, unless the configuration names a co-signer of somebody else's. Writes into the configuration where they
    /// listen: with port 0 a free one was taken.
    ///
    /// # Errors
    /// When an address or the folder cannot be used.
    pub async fn start(config: &mut Config, clock: Arc<dyn Clock>) -> anyhow::Result<Option<Self>> {
        if config.ballots.cosigner_url.is_some() {
            return Ok(None);
        }
        let randomness = qingfeng_core::randomness::SystemRandomness;
        let secrets = Secrets::load_or_create(&config.secrets.file, &config.ballots.key_name, &randomness)?;
        let folder = &config.ballots.own_cosigner_folder;
        std::fs::create_dir_all(folder).with_context(|| format!("the folder {}", folder.display()))?;
        let mut settings = Settings::default();
        settings.http.bind = config.ballots.own_cosigner_bind.clone();
        settings.http.public_url = config.ballots.cosigner_address();
        settings.http.shutdown_seconds = config.http.shutdown_seconds;
        settings.http.demo = config.http.demo;
        settings.database.url = format!("sqlite://{}", folder.join("cosigner.sqlite").display());
        settings.keys.file = folder.join("keys.toml");
        settings.platform.url = config.http.public_url.clone();
        settings.platform.box_url = config.ballots.box_public_url.clone();
        settings.platform.vkey = Some(secrets.log_signer()?.public().to_owned());
        // There is nobody else who could begin the count.
        settings.surveys.count = Counting::Automatic;
        settings.surveys.single_operator = true;
        settings.witness.bind = config.ballots.own_witness_bind.clone();
        settings.witness.folder = folder.join("witness");
        let randomness: qingfeng_cosigner::randomness::SharedRandomness = Arc::new(SystemRandomness);
        let witness = RunningWitness::start(&settings, &randomness)?;
        let cosigner = Cosigner::start(settings, Arc::new(move || clock.now()), randomness).await?;
        config.ballots.own_witness_bind = witness.address.to_string();
        config.ballots.own_cosigner_bind = cosigner.address.to_string();
        Ok(Some(Self { cosigner, witness }))
    }

    /// Stops both: running requests get their time.
    pub async fn stop(self) {
        self.cosigner.stop().await;
        self.witness.stop().await;
    }
}

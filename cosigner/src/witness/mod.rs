//! 见证人: remembers of every log the last state it saw, and signs only what continues it (C2SP tlog-witness).
//!
//! It needs no roll, no survey and no database: a folder with its key and one small file per log. It belongs on another
//! machine than platform and co-signer.

mod http;
mod memory;
mod request;

use std::{net::SocketAddr, sync::Arc};

use anyhow::Context;
use qingfeng_ballots::{
    Hex,
    log::{Note, Signer, is_consistent},
};
use signed_note::Signature;
use tokio::task::JoinHandle;

use self::memory::{Memory, Remembered};
pub use self::request::AddCheckpoint;
use crate::{
    Settings,
    authority::pinned_platform,
    keys::{LogSigner, witness_signer},
    randomness::SharedRandomness,
    verifier_keys::PinnedKey,
};

/// The witness's key file in its folder.
pub const KEY_FILE: &str = "keys.toml";

/// Why nothing is signed.
#[derive(Debug, thiserror::Error)]
pub enum WitnessRefusal {
    #[error("not a request of the form of C2SP tlog-witness")]
    Malformed,
    /// Carries the size that it remembers.
    #[error("the log is remembered with {0} lines")]
    Elsewhere(u64),
    #[error("the proof does not show that the log continues what is remembered")]
    BadProof,
    #[error("the note is not signed by a platform that is pinned here")]
    UnknownKey,
    #[error("what is remembered cannot be read or written: {0}")]
    Memory(#[from] std::io::Error),
}

/// A witness.
pub struct Witness {
    signer: LogSigner,
    platform: PinnedKey,
    memory: Memory,
}

impl std::fmt::Debug for Witness {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Witness({})", self.signer.public)
    }
}

impl Witness {
    /// Opens its folder; makes key and folder at the first start. A folder belongs to one process.
    ///
    /// # Errors
    /// When no platform key is pinned, or the folder cannot be used or is in use.
    pub fn open(settings: &Settings, randomness: &SharedRandomness) -> anyhow::Result<Self> {
        let folder = &settings.witness.folder;
        let signer = witness_signer(&folder.join(KEY_FILE), &settings.witness.name, &**randomness)?;
        let platform = pinned_platform(settings)?.context("platform.vkey: a witness needs the platform's key")?;
        let memory =
            Memory::open(&folder.join("logs")).with_context(|| format!("the witness's folder {}", folder.display()))?;
        Ok(Self { signer, platform, memory })
    }

    /// `name+id+key`.
    #[must_use]
    pub fn public_key(&self) -> &str {
        &self.signer.public
    }

    /// Signs a checkpoint that continues what is remembered, and returns the signature line.
    ///
    /// The new state is on the disk before the signature exists: a witness that dies in between has signed nothing that it
    /// forgot, and signs the same state again when asked.
    ///
    /// # Errors
    /// As [`WitnessRefusal`] says.
    pub fn add_checkpoint(&self, request: &[u8]) -> Result<Vec<u8>, WitnessRefusal> {
        let AddCheckpoint { old_size, proof, note } = AddCheckpoint::parse(request)?;
        if !self.platform.has_signed_note(&note) {
            return Err(WitnessRefusal::UnknownKey);
        }
        let checkpoint = tlog_tiles::Checkpoint::from_bytes(note.text()).map_err(|_| WitnessRefusal::Malformed)?;
        let new = Remembered { size: checkpoint.size(), root: Hex(checkpoint.hash().0) };
        if old_size > new.size {
            return Err(WitnessRefusal::Malformed);
        }
        let place = self.memory.lock(checkpoint.origin())?;
        let held = place.read()?;
        let held_size = held.as_ref().map_or(0, |held| held.size);
        if held_size != old_size {
            return Err(WitnessRefusal::Elsewhere(held_size));
        }
        match &held {
            Some(held) if held.size == new.size => {
                if !proof.is_empty() {
                    return Err(WitnessRefusal::BadProof);
                }
                if held.root != new.root {
                    tracing::error!(origin = checkpoint.origin(), size = new.size, "two roots for one size");
                    return Err(WitnessRefusal::Elsewhere(held.size));
                }
            }
            Some(held) => {
                if !is_consistent((held.size, &held.root), (new.size, &new.root), &proof) {
                    return Err(WitnessRefusal::BadProof);
                }
                place.write(&new)?;
            }
            None => {
                if !proof.is_empty() || new.size == 0 {
                    return Err(WitnessRefusal::BadProof);
                }
                place.write(&new)?;
            }
        }
        self.sign(&note)
    }

    fn sign(&self, note: &Note) -> Result<Vec<u8>, WitnessRefusal> {
        let signer = self.signer.note_signer();
        let signature = signer.sign(note.text()).map_err(|_| WitnessRefusal::Malformed)?;
        let line = Signature::new(signer.name().to_owned(), signer.key_id(), signature);
        line.map(|line| line.to_bytes()).map_err(|_| WitnessRefusal::Malformed)
    }
}

/// A witness that serves.
#[derive(Debug)]
pub struct RunningWitness {
    pub address: SocketAddr,
    pub witness: Arc<Witness>,
    handle: actix_web::dev::ServerHandle,
    server: JoinHandle<std::io::Result<()>>,
}

impl RunningWitness {
    /// Starts to serve on `settings.witness.bind`.
    ///
    /// # Errors
    /// When the address or the folder cannot be used.
    pub fn start(settings: &Settings, randomness: &SharedRandomness) -> anyhow::Result<Self> {
        let bind = &settings.witness.bind;
        let listener = std::net::TcpListener::bind(bind).with_context(|| format!("cannot listen on {bind}"))?;
        let address = listener.local_addr()?;
        let witness = Arc::new(Witness::open(settings, randomness)?);
        let server = http::serve(witness.clone(), listener, settings.http.shutdown_seconds)?;
        Ok(Self { address, witness, handle: server.handle(), server: tokio::spawn(server) })
    }

    /// Stops: running requests get their time.
    pub async fn stop(self) {
        self.handle.stop(true).await;
        let _ = self.server.await;
    }
}

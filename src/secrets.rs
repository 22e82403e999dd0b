//! The installation's own keys: one for sealing, those for signing access tokens. Kept in a file of their own, never in
//! the database, so that neither alone is enough.

use std::{io::Write, path::Path};

use anyhow::Context;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use qingfeng_ballots::{
    log::LogKey,
    randomness::{NoRandomness, Randomness as BallotsRandomness},
};
use qingfeng_core::{people::PaperCodes, randomness::Randomness, sealing::Sealer};
use serde::{Deserialize, Serialize};

use crate::cosigner::LogSigner;

/// Our source in the shape that the ballots take.
struct Source<'a>(&'a dyn Randomness);

impl BallotsRandomness for Source<'_> {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        self.0.fill(bytes);
        Ok(())
    }
}

/// Content of the secrets file.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secrets {
    /// Base64 of 32 bytes: seals webhook keys and authenticator secrets, and keys the digests of printed codes.
    sealing_key: String,
    /// Newest first. The first signs; the others are still accepted, so that keys can be changed without signing
    /// everybody out.
    token_keys: Vec<TokenKey>,
    /// Signs the public logs of anonymous surveys. Made when it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    log_key: Option<LogKeyPair>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LogKeyPair {
    /// Both in signed-note spelling.
    secret: String,
    public: String,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenKey {
    id: String,
    /// Base64 of at least 32 bytes.
    key: String,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Secrets")
    }
}

/// A key that signs or checks access tokens.
#[derive(Clone)]
pub struct SigningKey {
    pub id: String,
    pub bytes: Vec<u8>,
}

impl Secrets {
    #[must_use]
    pub fn generate(randomness: &dyn Randomness) -> Self {
        Self {
            sealing_key: STANDARD.encode(randomness.bytes::<32>()),
            token_keys: vec![TokenKey {
                id: hex::encode(randomness.bytes::<4>()),
                key: STANDARD.encode(randomness.bytes::<32>()),
            }],
            log_key: None,
        }
    }

    /// Reads the file; makes it, readable by its owner only, when it does not exist. The log key gets this name when it is
    /// made; its public half stands beside the file, for the co-signer to pin.
    ///
    /// # Errors
    /// When the file cannot be read, understood or written.
    pub fn load_or_create(file: &Path, log_key_name: &str, randomness: &dyn Randomness) -> anyhow::Result<Self> {
        let described = || format!("the secrets file {}", file.display());
        let (mut secrets, known) = match std::fs::read_to_string(file) {
            Ok(text) => (toml::from_str(&text).with_context(described)?, true),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => (Self::generate(randomness), false),
            Err(error) => return Err(error).with_context(described),
        };
        if secrets.log_key.is_some() {
            return Ok(secrets);
        }
        anyhow::ensure!(
            !log_key_name.contains([' ', '+']) && !log_key_name.is_empty(),
            "ballots.key_name has a space or a plus"
        );
        let made = LogKey::generate(log_key_name, &Source(randomness))?;
        let public = made.public.clone();
        secrets.log_key = Some(LogKeyPair { secret: made.secret.to_string(), public: made.public });
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder).with_context(described)?;
        }
        // Beside the old one first: a crash must not leave half a file.
        let fresh = file.with_extension("new");
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let text = toml::to_string(&secrets)?;
        options.open(&fresh).and_then(|mut fresh| fresh.write_all(text.as_bytes())).with_context(described)?;
        if known {
            std::fs::rename(&fresh, file).with_context(described)?;
        } else {
            // Of two that start at the same time, one makes the keys.
            std::fs::hard_link(&fresh, file).with_context(described)?;
            std::fs::remove_file(&fresh).with_context(described)?;
        }
        std::fs::write(file.with_file_name("platform.vkey"), format!("{public}\n")).with_context(described)?;
        Ok(secrets)
    }

    /// # Errors
    /// When there is no log key or it cannot be read.
    pub fn log_signer(&self) -> anyhow::Result<LogSigner> {
        let pair = self.log_key.as_ref().context("log_key")?;
        LogSigner::parse(&pair.secret, &pair.public)
    }

    /// # Errors
    /// When the key is not base64 of 32 bytes.
    pub fn sealer(&self) -> anyhow::Result<Sealer> {
        Ok(Sealer::new(&self.sealing_key()?))
    }

    /// # Errors
    /// When the key is not base64 of 32 bytes.
    pub fn paper_codes(&self) -> anyhow::Result<PaperCodes> {
        Ok(PaperCodes::new(&self.sealing_key()?))
    }

    fn sealing_key(&self) -> anyhow::Result<[u8; 32]> {
        let bytes = STANDARD.decode(&self.sealing_key).context("sealing_key")?;
        bytes.try_into().map_err(|_| anyhow::anyhow!("sealing_key must have 32 bytes"))
    }

    /// # Errors
    /// When there is none or one is too short.
    pub fn signing_keys(&self) -> anyhow::Result<Vec<SigningKey>> {
        anyhow::ensure!(!self.token_keys.is_empty(), "token_keys must hold at least one key");
        self.token_keys
            .iter()
            .map(|key| {
                let bytes = STANDARD.decode(&key.key).context("token_keys.key")?;
                anyhow::ensure!(bytes.len() >= 32, "a token key must have at least 32 bytes");
                Ok(SigningKey { id: key.id.clone(), bytes })
            })
            .collect()
    }
}

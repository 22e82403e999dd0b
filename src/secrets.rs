//! The installation's own keys: one for sealing, those for signing access tokens. Kept in a file of their own, never in
//! the database, so that neither alone is enough.

use std::{io::Write, path::Path};

use anyhow::Context;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use qingfeng_core::{people::PaperCodes, randomness::Randomness, sealing::Sealer};
use serde::{Deserialize, Serialize};

/// Content of the secrets file.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secrets {
    /// Base64 of 32 bytes: seals webhook keys and authenticator secrets, and keys the digests of printed codes.
    sealing_key: String,
    /// Newest first. The first signs; the others are still accepted, so that keys can be changed without signing
    /// everybody out.
    token_keys: Vec<TokenKey>,
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
        }
    }

    /// Reads the file; makes it, readable by its owner only, when it does not exist.
    ///
    /// # Errors
    /// When the file cannot be read, understood or written.
    pub fn load_or_create(file: &Path, randomness: &dyn Randomness) -> anyhow::Result<Self> {
        let described = || format!("the secrets file {}", file.display());
        match std::fs::read_to_string(file) {
            Ok(text) => toml::from_str(&text).with_context(described),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let secrets = Self::generate(randomness);
                if let Some(folder) = file.parent() {
                    std::fs::create_dir_all(folder).with_context(described)?;
                }
                let mut options = std::fs::OpenOptions::new();
                options.write(true).create_new(true);
                #[cfg(unix)]
                std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
                let text = toml::to_string(&secrets)?;
                options.open(file).and_then(|mut file| file.write_all(text.as_bytes())).with_context(described)?;
                Ok(secrets)
            }
            Err(error) => Err(error).with_context(described),
        }
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

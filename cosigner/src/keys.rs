//! The co-signer's and the witness's own keys: files readable by their owner only, apart from every database.

use std::{fs, io::Write, path::Path};

use anyhow::Context;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use ed25519_dalek::{Signer as _, SigningKey};
use qingfeng_ballots::{
    Hex,
    log::{LogKey, StandardSigner},
    messages,
    randomness::{Randomness, random_bytes},
};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::sealing::Sealer;

/// Content of a key file.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    /// `PRIVATE+KEY+name+…`: signs checkpoints.
    log_key: String,
    /// `name+…`: what others pin.
    public: String,
    /// Base64 of 32 bytes: seals what is secret in the database. The witness has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    sealing_key: Option<String>,
}

/// A signer of checkpoints.
pub struct LogSigner {
    /// `name+…`
    pub public: String,
    note_signer: StandardSigner,
    key: SigningKey,
}

impl LogSigner {
    /// For notes.
    #[must_use]
    pub fn note_signer(&self) -> &StandardSigner {
        &self.note_signer
    }

    /// Signature over a request to the other authority, hexadecimal: header `Qingfeng-Signature`.
    #[must_use]
    pub fn sign_request(&self, method: &str, path_and_query: &str, body: &[u8]) -> String {
        Hex(self.key.sign(&messages::operator_request(method, path_and_query, body)).to_bytes()).to_string()
    }

    /// # Errors
    /// When the text is not a signed-note key.
    pub fn parse(secret: &str, public: &str) -> anyhow::Result<Self> {
        let note_signer = StandardSigner::new(secret).map_err(|_| anyhow::anyhow!("log_key is not a signing key"))?;
        let bytes = secret.splitn(5, '+').nth(4).and_then(|key| BASE64_STANDARD.decode(key).ok()).map(Zeroizing::new);
        let seed = bytes.as_deref().and_then(|bytes| bytes.get(1..)?.try_into().ok()).context("log_key")?;
        Ok(Self { public: public.to_owned(), note_signer, key: SigningKey::from_bytes(&seed) })
    }
}

impl std::fmt::Debug for LogSigner {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "LogSigner({})", self.public)
    }
}

/// The co-signer's keys.
pub(crate) struct Keys {
    pub log: LogSigner,
    pub sealer: Sealer,
}

/// Whether a key file holds a sealing key, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holder {
    Cosigner,
    Witness,
}

impl Keys {
    /// Reads the co-signer's file; makes it when it does not exist.
    pub(crate) fn load_or_create(file: &Path, name: &str, randomness: &dyn Randomness) -> anyhow::Result<Self> {
        let content = load_or_create(file, name, Holder::Cosigner, randomness)?;
        let sealing_key = content.sealing_key.as_ref().with_context(|| format!("{}: sealing_key", file.display()))?;
        let key = Zeroizing::new(BASE64_STANDARD.decode(sealing_key.as_bytes()).context("sealing_key")?);
        let key: &[u8; 32] = key.as_slice().try_into().context("sealing_key must have 32 bytes")?;
        Ok(Self { log: LogSigner::parse(&content.log_key, &content.public)?, sealer: Sealer::new(key) })
    }
}

/// Reads the witness's file; makes it when it does not exist.
///
/// # Errors
/// When the file cannot be read or written.
pub fn witness_signer(file: &Path, name: &str, randomness: &dyn Randomness) -> anyhow::Result<LogSigner> {
    let content = load_or_create(file, name, Holder::Witness, randomness)?;
    LogSigner::parse(&content.log_key, &content.public)
}

fn load_or_create(file: &Path, name: &str, holder: Holder, randomness: &dyn Randomness) -> anyhow::Result<KeyFile> {
    let described = || format!("the key file {}", file.display());
    match fs::read_to_string(file).map(Zeroizing::new) {
        Ok(text) => toml::from_str(&text).with_context(described),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            anyhow::ensure!(signed_note::is_key_name_valid(name), "a key's name has no spaces and no plus: {name}");
            let log = LogKey::generate(name, randomness)?;
            let sealing_key = if holder == Holder::Cosigner {
                let key: Zeroizing<[u8; 32]> = Zeroizing::new(random_bytes(randomness)?);
                Some(BASE64_STANDARD.encode(key.as_slice()))
            } else {
                None
            };
            let content = KeyFile { log_key: log.secret.to_string(), public: log.public, sealing_key };
            write_secret(file, Zeroizing::new(toml::to_string(&content)?).as_bytes()).with_context(described)?;
            Ok(content)
        }
        Err(error) => Err(error).with_context(described),
    }
}

/// Writes a new file that its owner alone can read; refuses to overwrite one.
///
/// # Errors
/// When it exists or cannot be written.
pub(crate) fn write_secret(file: &Path, content: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(file)?;
    file.write_all(content)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::randomness::SystemRandomness;

    #[test]
    fn a_key_file_is_made_once_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys/cosigner.toml");
        let made = Keys::load_or_create(&file, "cosigner.qinghe", &SystemRandomness).unwrap();
        let again = Keys::load_or_create(&file, "another name", &SystemRandomness).unwrap();
        assert_eq!(made.log.public, again.log.public);
        assert!(made.log.public.starts_with("cosigner.qinghe+"));
        let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&file).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_key_file_stops_the_program_and_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys.toml");
        fs::write(&file, "log_key = \"nonsense\"\npublic = \"x\"").unwrap();
        assert!(Keys::load_or_create(&file, "cosigner", &SystemRandomness).is_err());
        assert!(witness_signer(&file, "witness", &SystemRandomness).is_err());
        assert!(fs::read_to_string(&file).unwrap().contains("nonsense"));
        assert!(witness_signer(&folder.path().join("other.toml"), "two words", &SystemRandomness).is_err());
    }
}

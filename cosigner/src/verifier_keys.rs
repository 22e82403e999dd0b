//! Keys that are pinned: whom this co-signer takes for the platform, and which witnesses it knows.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ed25519_dalek::{Signature, VerifyingKey};
use qingfeng_ballots::{Hex, log::Note};
use signed_note::{StandardVerifier, Verifier, VerifierList};

/// A pinned Ed25519 key in signed-note spelling.
#[derive(Debug, Clone)]
pub struct PinnedKey {
    text: String,
    key: VerifyingKey,
}

impl PinnedKey {
    /// Reads `name+id+key`; a role in front (`platform name+…`) is skipped.
    ///
    /// # Errors
    /// When it is not an Ed25519 key in signed-note spelling.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let text = without_role(text);
        let no_key = || anyhow::anyhow!("not a key of the form name+id+base64: {text}");
        StandardVerifier::new(text).map_err(|_| no_key())?;
        let bytes = key_bytes(text).ok_or_else(no_key)?;
        let key = bytes.get(1..).and_then(|key| key.try_into().ok()).ok_or_else(no_key)?;
        Ok(Self { text: text.to_owned(), key: VerifyingKey::from_bytes(key).map_err(|_| no_key())? })
    }

    /// `name+id+key`.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the key made this signature: strict, no weak keys.
    #[must_use]
    pub fn has_signed(&self, message: &[u8], signature: &Hex<64>) -> bool {
        self.key.verify_strict(message, &Signature::from_bytes(&signature.0)).is_ok()
    }

    /// Whether the note carries a good signature of this key.
    #[must_use]
    pub fn has_signed_note(&self, note: &Note) -> bool {
        let Ok(verifier) = StandardVerifier::new(&self.text) else { return false };
        note.verify(&VerifierList::new(vec![Box::new(verifier) as Box<dyn Verifier>])).is_ok()
    }
}

/// Base64 may itself hold a plus: the key is everything after the second one.
fn key_bytes(text: &str) -> Option<Vec<u8>> {
    BASE64_STANDARD.decode(text.splitn(3, '+').nth(2)?).ok()
}

/// The key without the role in front of it.
#[must_use]
pub fn without_role(text: &str) -> &str {
    let text = text.trim();
    text.split_once(' ').map_or(text, |(_, key)| key.trim())
}

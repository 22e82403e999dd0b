//! Secrets of others that we have to keep usable (webhook keys, authenticator secrets) are sealed with the
//! installation's key: a copy of the database alone opens nothing.

use aes_gcm::{
    Aes256Gcm, Nonce,
    aead::{Aead, KeyInit, Payload},
};

use crate::{randomness::Randomness, refusal::Fault};

const NONCE_LENGTH: usize = 12;

/// Seals and opens with AES-256-GCM. The purpose is bound in: what was sealed as one thing does not open as another.
#[derive(Clone)]
pub struct Sealer {
    cipher: Aes256Gcm,
}

impl Sealer {
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        Self { cipher: Aes256Gcm::new(key.into()) }
    }

    /// # Panics
    /// Never for the short secrets this is for: the cipher refuses only inputs of many gigabytes.
    #[must_use]
    pub fn seal(&self, purpose: &str, secret: &[u8], randomness: &dyn Randomness) -> Vec<u8> {
        let nonce: [u8; NONCE_LENGTH] = randomness.bytes();
        let payload = Payload { msg: secret, aad: purpose.as_bytes() };
        let sealed =
            self.cipher.encrypt(&Nonce::from(nonce), payload).expect("secrets are far below the cipher's limit");
        [&nonce[..], &sealed[..]].concat()
    }

    /// # Errors
    /// When it was sealed with another key or for another purpose, or was changed.
    pub fn open(&self, purpose: &str, sealed: &[u8]) -> Result<Vec<u8>, Fault> {
        let unreadable =
            || Fault::unavailable(format!("a sealed {purpose} does not open with this installation's key"));
        let (nonce, body) = sealed.split_first_chunk::<NONCE_LENGTH>().ok_or_else(unreadable)?;
        let payload = Payload { msg: body, aad: purpose.as_bytes() };
        self.cipher.decrypt(&Nonce::from(*nonce), payload).map_err(|_| unreadable())
    }
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Sealer")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::randomness::SystemRandomness;

    #[test]
    fn a_sealed_secret_opens_only_with_its_key_and_for_its_purpose() {
        let sealer = Sealer::new(&[7; 32]);
        let sealed = sealer.seal("robot key", b"secret", &SystemRandomness);
        assert_eq!(sealer.open("robot key", &sealed).unwrap(), b"secret");
        assert!(sealer.open("authenticator secret", &sealed).is_err());
        assert!(Sealer::new(&[8; 32]).open("robot key", &sealed).is_err());
        assert!(sealer.open("robot key", &sealed[..5]).is_err());
    }
}

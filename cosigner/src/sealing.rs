//! What is secret in the database is sealed with a key outside it: a copy of the database alone opens nothing.

use aes_gcm::{
    Aes256Gcm, Nonce,
    aead::{Aead, KeyInit, Payload},
};
use qingfeng_ballots::randomness::{Randomness, random_bytes};
use zeroize::Zeroizing;

use crate::fault::Fault;

const NONCE_LENGTH: usize = 12;

/// Seals and opens with AES-256-GCM. The purpose is bound in: what was sealed as one thing does not open as another.
pub(crate) struct Sealer(Aes256Gcm);

impl Sealer {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self(Aes256Gcm::new(key.into()))
    }

    pub(crate) fn seal(&self, purpose: &str, secret: &[u8], randomness: &dyn Randomness) -> Result<Vec<u8>, Fault> {
        let nonce: [u8; NONCE_LENGTH] = random_bytes(randomness)?;
        let payload = Payload { msg: secret, aad: purpose.as_bytes() };
        let sealed = self.0.encrypt(&Nonce::from(nonce), payload).map_err(Fault::unavailable)?;
        Ok([&nonce[..], &sealed[..]].concat())
    }

    pub(crate) fn open(&self, purpose: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let unreadable = || Fault::unavailable(format!("a sealed {purpose} does not open with the key file"));
        let (nonce, body) = sealed.split_first_chunk::<NONCE_LENGTH>().ok_or_else(unreadable)?;
        let payload = Payload { msg: body, aad: purpose.as_bytes() };
        self.0.decrypt(&Nonce::from(*nonce), payload).map(Zeroizing::new).map_err(|_| unreadable())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::randomness::SystemRandomness;

    #[test]
    fn a_sealed_secret_opens_only_with_its_key_and_for_its_purpose() {
        let sealer = Sealer::new(&[7; 32]);
        let sealed = sealer.seal("box key of 1", b"secret", &SystemRandomness).unwrap();
        assert_eq!(sealer.open("box key of 1", &sealed).unwrap().as_slice(), b"secret");
        assert!(sealer.open("box key of 2", &sealed).is_err());
        assert!(Sealer::new(&[8; 32]).open("box key of 1", &sealed).is_err());
        assert!(sealer.open("box key of 1", &sealed[..5]).is_err());
    }
}

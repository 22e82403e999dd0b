//! Secrets of others that we have to keep usable (webhook keys, authenticator secrets) are sealed with the
//! installation's key: a copy of the database alone opens nothing. The same holds for what the cache is asked to keep of
//! people for a while: its values are sealed, and its keys name nobody.

use aes_gcm::{
    Aes256Gcm, Nonce,
    aead::{Aead, KeyInit, Payload},
};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::{randomness::Randomness, refusal::Fault};

const NONCE_LENGTH: usize = 12;

/// Seals and opens with AES-256-GCM. The purpose is bound in: what was sealed as one thing does not open as another.
#[derive(Clone)]
pub struct Sealer {
    cipher: Aes256Gcm,
    /// Keys the pseudonyms; another one than the one that seals.
    naming_key: [u8; 32],
}

impl Sealer {
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        Self { cipher: Aes256Gcm::new(key.into()), naming_key: keyed(key, &[&b"qingfeng pseudonyms v1"[..]]) }
    }

    /// A key of the cache for somebody who is known by an openid, a name at WeCom, an id or an address: `purpose:digest`.
    /// Whoever reads the cache, its dumps or what it logs learns from it nobody who wrote to us; a digest without a key would
    /// not do, because the identifiers can be listed and tried. Two purposes of one person cannot be put together.
    #[must_use]
    pub fn pseudonym(&self, purpose: &str, identifier: &str) -> String {
        // A purpose has no zero byte in it: where it ends is certain.
        let digest = keyed(&self.naming_key, &[purpose.as_bytes(), &[0], identifier.as_bytes()]);
        format!("{purpose}:{}", hex::encode(digest))
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

fn keyed(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(key).expect("a key of any length is taken");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
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

    #[test]
    fn a_pseudonym_depends_on_the_key_the_purpose_and_the_person_and_tells_none_of_them() {
        let sealer = Sealer::new(&[7; 32]);
        let name = sealer.pseudonym("chat", "openid-1");
        assert_eq!(name, Sealer::new(&[7; 32]).pseudonym("chat", "openid-1"));
        assert!(name.starts_with("chat:") && !name.contains("openid"), "{name}");
        let digest = |name: String| name.split_once(':').unwrap().1.to_owned();
        let others = [
            sealer.pseudonym("chat", "openid-2"),
            sealer.pseudonym("chat", ""),
            sealer.pseudonym("chat 2026-03-02", "openid-1"),
            sealer.pseudonym("survey", "openid-1"),
            Sealer::new(&[8; 32]).pseudonym("chat", "openid-1"),
            format!("chat:{}", hex::encode(<Sha256 as sha2::Digest>::digest("openid-1"))),
        ];
        for other in others {
            assert_ne!(digest(name.clone()), digest(other));
        }
    }
}

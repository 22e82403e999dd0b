use base64::{Engine, prelude::BASE64_STANDARD};
use ed25519_dalek::SigningKey;
use signed_note::{is_key_name_valid, key_id, new_ed25519_verifier_key};
use zeroize::Zeroizing;

use crate::randomness::{NoRandomness, Randomness, random_bytes};

/// Marks Ed25519 in front of a key (C2SP signed-note).
const ED25519: u8 = 1;

/// A key that signs checkpoints, in signed-note spelling.
pub struct LogKey {
    /// `PRIVATE+KEY+name+…`, for [`super::StandardSigner`].
    pub secret: Zeroizing<String>,
    /// `name+…`: what readers pin.
    pub public: String,
}

impl LogKey {
    /// A fresh key for a signer of this name.
    ///
    /// # Errors
    /// When there is no randomness.
    ///
    /// # Panics
    /// When the name is empty or has a space or a plus: names are fixed where this is called.
    pub fn generate(name: &str, randomness: &dyn Randomness) -> Result<Self, NoRandomness> {
        assert!(is_key_name_valid(name), "a signer's name has no spaces and no plus");
        let seed: Zeroizing<[u8; 32]> = Zeroizing::new(random_bytes(randomness)?);
        let public = SigningKey::from_bytes(&seed).verifying_key();
        let id = key_id(name, &[&[ED25519], public.as_bytes().as_slice()].concat());
        let secret = Zeroizing::new([&[ED25519], seed.as_slice()].concat());
        let secret =
            Zeroizing::new(format!("PRIVATE+KEY+{name}+{id:08x}+{}", BASE64_STANDARD.encode(secret.as_slice())));
        Ok(Self { secret, public: new_ed25519_verifier_key(name, &public) })
    }
}

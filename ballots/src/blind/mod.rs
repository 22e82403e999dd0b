//! RSA blind signatures, RFC 9474, variant `RSABSSA-SHA384-PSS-Randomized`.
//!
//! The signer signs without seeing what; the client takes the blinding off and everybody can check the result as an
//! ordinary RSASSA-PSS signature. Blindness does not rest on any assumption: every blinded message fits every signature.

mod client;
mod key;
#[cfg(feature = "openssl")]
mod openssl;
mod pss;
mod signer;

pub use client::{Blinded, blind, finalize, prepare};
pub use key::PublicKey;
#[cfg(feature = "openssl")]
pub use openssl::OpensslSigner;
pub use pss::SALT_LENGTH;
pub use signer::{RsaSigner, generate};

use crate::randomness::{NoRandomness, Randomness};

/// The random prefix of `PrepareRandomize`, one per authority.
pub const PREFIX_LENGTH: usize = 32;

/// Signs blinded messages. Engines stand side by side: [`RsaSigner`] in pure Rust, and one on OpenSSL where speed is
/// wanted. Signing holds a core for a millisecond or more: keep it off threads that serve others.
pub trait BlindSigner: Send + Sync {
    /// The key under which the finished signature verifies.
    fn public_key(&self) -> &PublicKey;

    /// The bare private-key operation on a number that [`BlindSigner::blind_sign`] has found in range.
    ///
    /// # Errors
    /// When the engine fails.
    fn private_operation(&self, blinded: &[u8], randomness: &dyn Randomness) -> Result<Vec<u8>, BlindError>;

    /// Signs a blinded message. The same message gets the same bytes again.
    ///
    /// # Errors
    /// Refuses a message of another length than the modulus, at or above the modulus, and the numbers zero and one;
    /// keeps a signature back that does not verify (a faulty computation would give the key away).
    fn blind_sign(&self, blinded: &[u8], randomness: &dyn Randomness) -> Result<Vec<u8>, BlindError> {
        let key = self.public_key();
        key.check_blinded(blinded)?;
        let signed = self.private_operation(blinded, randomness)?;
        if key.is_signature_of(&signed, blinded) { Ok(signed) } else { Err(BlindError::Fault) }
    }
}

/// Why a blind signature was not made or not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BlindError {
    #[error("the blinded message has not the length of the modulus")]
    WrongLength,
    #[error("the blinded message is not a number between two and the modulus")]
    OutOfRange,
    #[error("the signature just made does not verify; it was thrown away")]
    Fault,
    #[error("the signature is not one of this key over this message")]
    InvalidSignature,
    #[error("the key is not an RSA key of the right form")]
    BadKey,
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

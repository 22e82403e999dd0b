//! Randomness comes from the caller, so that a test is repeatable and a machine without a good source is refused.

use rsa::rand_core::{TryCryptoRng, TryRng};

/// No secure randomness was to be had; nothing secret may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no secure randomness")]
pub struct NoRandomness;

/// Source of cryptographically secure random bytes.
pub trait Randomness {
    /// Fills the bytes.
    ///
    /// # Errors
    /// When there is no secure source: the caller then stops.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness>;
}

/// As many random bytes as the caller's type asks for.
///
/// # Errors
/// When there is no secure source.
pub fn random_bytes<const LENGTH: usize>(randomness: &dyn Randomness) -> Result<[u8; LENGTH], NoRandomness> {
    let mut bytes = [0; LENGTH];
    randomness.fill(&mut bytes)?;
    Ok(bytes)
}

/// The same source in the shape that the RSA library takes.
pub(crate) struct ForRsa<'a>(pub &'a dyn Randomness);

impl TryRng for ForRsa<'_> {
    type Error = NoRandomness;

    fn try_next_u32(&mut self) -> Result<u32, NoRandomness> {
        Ok(u32::from_le_bytes(random_bytes(self.0)?))
    }

    fn try_next_u64(&mut self) -> Result<u64, NoRandomness> {
        Ok(u64::from_le_bytes(random_bytes(self.0)?))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        self.0.fill(bytes)
    }
}

impl TryCryptoRng for ForRsa<'_> {}

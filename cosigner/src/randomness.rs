//! Randomness comes from outside, as in `qingfeng-ballots`.

use qingfeng_ballots::randomness::{NoRandomness, Randomness};
use rand::TryRngCore;

/// What every part of this program shares.
pub type SharedRandomness = std::sync::Arc<dyn Randomness + Send + Sync>;

/// The operating system's source.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemRandomness;

impl Randomness for SystemRandomness {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        rand::rngs::OsRng.try_fill_bytes(bytes).map_err(|_| NoRandomness)
    }
}

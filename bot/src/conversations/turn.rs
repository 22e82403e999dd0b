//! One after the other: what a person sends in one moment is worked on in turn, on whichever replica it arrives.

use std::time::Duration;

use qingfeng_core::{cache::Cache, randomness::Randomness, refusal::Fault};

/// Who died in his turn keeps the others waiting no longer than this.
const KEPT: Duration = Duration::from_secs(8);
/// How often the others look, and how many times: shorter than the platform waits.
const LOOK_EVERY: Duration = Duration::from_millis(40);
const LOOKS: u32 = 100;

pub(super) struct Turn<'a> {
    cache: &'a dyn Cache,
    name: String,
    holder: String,
}

impl<'a> Turn<'a> {
    /// The name is a person's pseudonym: see [`qingfeng_core::sealing::Sealer::pseudonym`].
    ///
    /// # Errors
    /// When it does not come in time: the platform then delivers again.
    pub(super) async fn take(cache: &'a dyn Cache, name: String, randomness: &dyn Randomness) -> Result<Self, Fault> {
        let holder = hex::encode(randomness.bytes::<8>());
        for _ in 0..LOOKS {
            if cache.lease(&name, &holder, KEPT).await? {
                return Ok(Self { cache, name, holder });
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Err(Fault::unavailable("a person's messages wait for one another too long"))
    }

    pub(super) async fn give_back(self) -> Result<(), Fault> {
        self.cache.release(&self.name, &self.holder).await
    }
}

//! What replicas share and may lose: limits, revocations, platform tokens, conversations, leadership.
//! In the process by default, in Redis when several run. Nothing here is the only copy of a fact.

mod memory;
mod redis;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

pub use memory::MemoryCache;
pub use redis::RedisCache;

use crate::{clock::Clock, refusal::Fault};

/// Shared short-lived state. Both engines pass the same contract tests.
#[async_trait]
pub trait Cache: Send + Sync {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Fault>;

    async fn set(&self, key: &str, value: &[u8], keep_for: Duration) -> Result<(), Fault>;

    /// Sets the key unless it is there; true when this call set it.
    async fn set_if_absent(&self, key: &str, value: &[u8], keep_for: Duration) -> Result<bool, Fault>;

    async fn remove(&self, key: &str) -> Result<(), Fault>;

    /// Removes the key if it still holds this value, e.g. the access token that a platform just refused.
    async fn remove_if(&self, key: &str, value: &[u8]) -> Result<bool, Fault>;

    /// Counts so many events in a rolling window, all of them or none. `Ok(None)`: within the limit. `Ok(Some(wait))`: over
    /// it; nothing was counted, and there would be room after `wait`. More at once than the limit has never room.
    async fn take_slots(&self, key: &str, events: u32, limit: u32, window: Duration)
    -> Result<Option<Duration>, Fault>;

    /// Counts one event in a rolling window.
    async fn take_slot(&self, key: &str, limit: u32, window: Duration) -> Result<Option<Duration>, Fault> {
        self.take_slots(key, 1, limit, window).await
    }

    /// Takes the event that was counted last out of the window again: it turned out to be none of those to be limited.
    async fn give_back_slot(&self, key: &str) -> Result<(), Fault>;

    /// Takes or renews a lease; true while this holder has it.
    async fn lease(&self, name: &str, holder: &str, keep_for: Duration) -> Result<bool, Fault>;

    /// Gives a lease back early.
    async fn release(&self, name: &str, holder: &str) -> Result<(), Fault>;
}

/// Opens the cache that the address names; in the process when there is none.
///
/// # Errors
/// When Redis does not answer.
pub async fn open(redis_url: Option<&str>, clock: Arc<dyn Clock>) -> Result<Arc<dyn Cache>, Fault> {
    Ok(match redis_url {
        Some(url) => Arc::new(RedisCache::connect(url, clock).await?),
        None => Arc::new(MemoryCache::new(clock)),
    })
}

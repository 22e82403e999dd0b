use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use qingfeng_core::{cache::Cache, refusal::Fault};
use uuid::Uuid;

/// The engine under test with names of its own, so that tests on one server do not meet. It also knows who holds which
/// lease: a Redis server counts real seconds, and an hour of this test is none.
pub struct SharedCache {
    engine: Arc<dyn Cache>,
    prefix: String,
    leases: Mutex<HashMap<String, String>>,
}

impl SharedCache {
    pub fn new(engine: Arc<dyn Cache>) -> Self {
        Self { engine, prefix: Uuid::new_v4().to_string(), leases: Mutex::default() }
    }

    /// The time of every lease is over.
    pub async fn leases_run_out(&self) {
        let leases: Vec<_> = self.leases.lock().unwrap().drain().collect();
        for (name, holder) in leases {
            self.engine.release(&name, &holder).await.unwrap();
        }
    }

    fn named(&self, key: &str) -> String {
        format!("{}:{key}", self.prefix)
    }
}

#[async_trait]
impl Cache for SharedCache {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Fault> {
        self.engine.get(&self.named(key)).await
    }

    async fn set(&self, key: &str, value: &[u8], keep_for: Duration) -> Result<(), Fault> {
        self.engine.set(&self.named(key), value, keep_for).await
    }

    async fn set_if_absent(&self, key: &str, value: &[u8], keep_for: Duration) -> Result<bool, Fault> {
        self.engine.set_if_absent(&self.named(key), value, keep_for).await
    }

    async fn remove(&self, key: &str) -> Result<(), Fault> {
        self.engine.remove(&self.named(key)).await
    }

    async fn remove_if(&self, key: &str, value: &[u8]) -> Result<bool, Fault> {
        self.engine.remove_if(&self.named(key), value).await
    }

    async fn take_slots(
        &self,
        key: &str,
        events: u32,
        limit: u32,
        window: Duration,
    ) -> Result<Option<Duration>, Fault> {
        self.engine.take_slots(&self.named(key), events, limit, window).await
    }

    async fn give_back_slot(&self, key: &str) -> Result<(), Fault> {
        self.engine.give_back_slot(&self.named(key)).await
    }

    async fn lease(&self, name: &str, holder: &str, keep_for: Duration) -> Result<bool, Fault> {
        let held = self.engine.lease(&self.named(name), holder, keep_for).await?;
        if held {
            self.leases.lock().unwrap().insert(self.named(name), holder.to_owned());
        }
        Ok(held)
    }

    async fn release(&self, name: &str, holder: &str) -> Result<(), Fault> {
        self.engine.release(&self.named(name), holder).await
    }
}

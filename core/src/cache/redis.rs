use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use redis::{AsyncCommands, Client, Script, aio::ConnectionManager};

use super::Cache;
use crate::{clock::Clock, refusal::Fault};

/// The cache of several processes.
pub struct RedisCache {
    connection: ConnectionManager,
    clock: Arc<dyn Clock>,
}

impl RedisCache {
    /// # Errors
    /// When the address is wrong or Redis does not answer.
    pub async fn connect(url: &str, clock: Arc<dyn Clock>) -> Result<Self, Fault> {
        let client = Client::open(url).map_err(fault)?;
        Ok(Self { connection: client.get_connection_manager().await.map_err(fault)?, clock })
    }

    fn connection(&self) -> ConnectionManager {
        self.connection.clone()
    }
}

// The address may hold a password: only the kind of failure is told.
fn fault(error: redis::RedisError) -> Fault {
    Fault::unavailable(format!("redis: {}", error.category()))
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).max(1)
}

const REMOVE_IF: &str =
    "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) else return 0 end";

const LEASE: &str = "
local holder = redis.call('GET', KEYS[1])
if holder == false or holder == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return 1
end
return 0";

/// The server's clock counts: of two replicas the one whose clock is ahead would forget what the other has just counted, and
/// together they would pass the limit. Only a simulated clock counts itself. Members carry a running number: two events in one
/// millisecond are two events.
const TAKE_SLOTS: &str = "
local window, limit, events = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
local over = redis.call('ZCARD', KEYS[1]) + events - limit
if over > 0 then
  local last = redis.call('ZRANGE', KEYS[1], over - 1, over - 1, 'WITHSCORES')
  return tonumber(last[2] or now) + window - now
end
for _ = 1, events do
  local number = redis.call('INCR', KEYS[2])
  redis.call('ZADD', KEYS[1], now, string.format('%.0f:%d', now, number))
end
redis.call('PEXPIRE', KEYS[1], window)
redis.call('PEXPIRE', KEYS[2], window)
return -1";

#[async_trait]
impl Cache for RedisCache {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Fault> {
        self.connection().get(key).await.map_err(fault)
    }

    async fn set(&self, key: &str, value: &[u8], keep_for: Duration) -> Result<(), Fault> {
        self.connection().pset_ex(key, value, milliseconds(keep_for)).await.map_err(fault)
    }

    async fn set_if_absent(&self, key: &str, value: &[u8], keep_for: Duration) -> Result<bool, Fault> {
        let set: Option<String> = redis::cmd("SET")
            .arg(key)
            .arg(value)
            .arg("NX")
            .arg("PX")
            .arg(milliseconds(keep_for))
            .query_async(&mut self.connection())
            .await
            .map_err(fault)?;
        Ok(set.is_some())
    }

    async fn remove(&self, key: &str) -> Result<(), Fault> {
        self.connection().del(key).await.map_err(fault)
    }

    async fn remove_if(&self, key: &str, value: &[u8]) -> Result<bool, Fault> {
        let removed: u32 =
            Script::new(REMOVE_IF).key(key).arg(value).invoke_async(&mut self.connection()).await.map_err(fault)?;
        Ok(removed == 1)
    }

    async fn take_slots(
        &self,
        key: &str,
        events: u32,
        limit: u32,
        window: Duration,
    ) -> Result<Option<Duration>, Fault> {
        let simulated = self.clock.is_simulated().then(|| self.clock.now().timestamp_millis().to_string());
        let wait: i64 = Script::new(TAKE_SLOTS)
            // One hash tag keeps both keys on one node of a cluster.
            .key(format!("window:{{{key}}}"))
            .key(format!("window:{{{key}}}:number"))
            .arg(simulated.unwrap_or_default())
            .arg(milliseconds(window))
            .arg(limit)
            .arg(events)
            .invoke_async(&mut self.connection())
            .await
            .map_err(fault)?;
        Ok(u64::try_from(wait).ok().map(Duration::from_millis))
    }

    async fn give_back_slot(&self, key: &str) -> Result<(), Fault> {
        self.connection().zremrangebyrank(format!("window:{{{key}}}"), -1, -1).await.map_err(fault)
    }

    async fn lease(&self, name: &str, holder: &str, keep_for: Duration) -> Result<bool, Fault> {
        let held: u32 = Script::new(LEASE)
            .key(format!("lease:{name}"))
            .arg(holder)
            .arg(milliseconds(keep_for))
            .invoke_async(&mut self.connection())
            .await
            .map_err(fault)?;
        Ok(held == 1)
    }

    async fn release(&self, name: &str, holder: &str) -> Result<(), Fault> {
        self.remove_if(&format!("lease:{name}"), holder.as_bytes()).await.map(|_| ())
    }
}

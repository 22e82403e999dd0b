use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::Cache;
use crate::{clock::Clock, refusal::Fault};

/// Expired entries are swept when the map has grown by this many.
const SWEEP_AFTER: usize = 4096;

/// The cache of a single process.
pub struct MemoryCache {
    clock: Arc<dyn Clock>,
    /// From when windows are counted, by a clock that nobody sets.
    began: (DateTime<Utc>, Instant),
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    entries: HashMap<String, Entry>,
    windows: HashMap<String, Window>,
    sweep_at: usize,
}

struct Entry {
    value: Vec<u8>,
    until: DateTime<Utc>,
}

struct Window {
    events: VecDeque<DateTime<Utc>>,
    until: DateTime<Utc>,
}

impl MemoryCache {
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let began = (clock.now(), Instant::now());
        Self { clock, began, state: Mutex::new(State { sweep_at: SWEEP_AFTER, ..State::default() }) }
    }

    /// By which windows are counted: whoever sets the machine's clock forward must not make room.
    fn window_time(&self) -> DateTime<Utc> {
        let (at, since) = self.began;
        if self.clock.is_simulated() { self.clock.now() } else { at + since.elapsed() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of this lock panics")
    }

    fn keep(&self, state: &mut State, key: &str, value: &[u8], keep_for: Duration) {
        let now = self.clock.now();
        state.sweep(now, self.window_time());
        state.entries.insert(key.to_owned(), Entry { value: value.to_vec(), until: now + keep_for });
    }
}

impl State {
    fn get(&self, key: &str, now: DateTime<Utc>) -> Option<&[u8]> {
        self.entries.get(key).filter(|entry| entry.until > now).map(|entry| &entry.value[..])
    }

    fn sweep(&mut self, now: DateTime<Utc>, window_time: DateTime<Utc>) {
        if self.entries.len() + self.windows.len() >= self.sweep_at {
            self.entries.retain(|_, entry| entry.until > now);
            self.windows.retain(|_, window| window.until > window_time);
            self.sweep_at = self.entries.len() + self.windows.len() + SWEEP_AFTER;
        }
    }
}

#[async_trait]
impl Cache for MemoryCache {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Fault> {
        Ok(self.state().get(key, self.clock.now()).map(<[u8]>::to_vec))
    }

    async fn set(&self, key: &str, value: &[u8], keep_for: Duration) -> Result<(), Fault> {
        self.keep(&mut self.state(), key, value, keep_for);
        Ok(())
    }

    async fn set_if_absent(&self, key: &str, value: &[u8], keep_for: Duration) -> Result<bool, Fault> {
        let now = self.clock.now();
        let mut state = self.state();
        if state.get(key, now).is_some() {
            return Ok(false);
        }
        self.keep(&mut state, key, value, keep_for);
        Ok(true)
    }

    async fn remove(&self, key: &str) -> Result<(), Fault> {
        self.state().entries.remove(key);
        Ok(())
    }

    async fn remove_if(&self, key: &str, value: &[u8]) -> Result<bool, Fault> {
        let now = self.clock.now();
        let mut state = self.state();
        let same = state.get(key, now) == Some(value);
        if same {
            state.entries.remove(key);
        }
        Ok(same)
    }

    async fn take_slots(
        &self,
        key: &str,
        events: u32,
        limit: u32,
        window: Duration,
    ) -> Result<Option<Duration>, Fault> {
        let now = self.window_time();
        let mut state = self.state();
        let known =
            state.windows.entry(key.to_owned()).or_insert_with(|| Window { events: VecDeque::new(), until: now });
        while known.events.front().is_some_and(|event| *event + window <= now) {
            known.events.pop_front();
        }
        let (events, limit) = (events as usize, limit as usize);
        if known.events.len() + events > limit {
            // Once this one has left the window, there is room.
            let last_in_the_way = known.events.len() + events - limit - 1;
            let leaves = known.events.get(last_in_the_way).copied().unwrap_or(now) + window;
            return Ok(Some((leaves - now).to_std().unwrap_or_default()));
        }
        known.events.extend(std::iter::repeat_n(now, events));
        known.until = now + window;
        Ok(None)
    }

    async fn give_back_slot(&self, key: &str) -> Result<(), Fault> {
        if let Some(known) = self.state().windows.get_mut(key) {
            known.events.pop_back();
        }
        Ok(())
    }

    async fn lease(&self, name: &str, holder: &str, keep_for: Duration) -> Result<bool, Fault> {
        let key = format!("lease:{name}");
        let now = self.clock.now();
        let mut state = self.state();
        let free = state.get(&key, now).is_none_or(|current| current == holder.as_bytes());
        if free {
            self.keep(&mut state, &key, holder.as_bytes(), keep_for);
        }
        Ok(free)
    }

    async fn release(&self, name: &str, holder: &str) -> Result<(), Fault> {
        self.remove_if(&format!("lease:{name}"), holder.as_bytes()).await.map(|_| ())
    }
}

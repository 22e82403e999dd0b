//! Interfaces that do not answer rest, for all bots together: how each has been answering stands in the cache, the rule is
//! [`Answering`].
//!
//! Two bots that write at the same instant may count one silence for two: then the rest begins one message later.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use qingfeng_core::{
    cache::Cache,
    clock::Clock,
    outbox::{Answering, Turn},
};

use super::exchange::Failure;
use crate::delivery::Outcome;

/// A probe whose bot died is forgotten; longer than the platform is waited for.
const PROBE: Duration = Duration::from_secs(30);
/// The others look again after this.
const AFTER_PROBE: TimeDelta = TimeDelta::seconds(30);
/// Longer than the longest rest, and a night.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// How a request ended, as far as the interface goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    Answer,
    /// It left, and nothing came back that can be read.
    Silence,
    /// Not reached, or turned away at the door: that is known, and says nothing about the next one.
    Nothing,
}

impl Heard {
    pub(super) fn of<T>(result: &Result<T, Failure>) -> Self {
        match result {
            Ok(_) => Self::Answer,
            Err(Failure::MayHaveArrived(_)) => Self::Silence,
            Err(Failure::NotTaken(_)) => Self::Nothing,
        }
    }
}

pub(super) struct Breaker {
    cache: Arc<dyn Cache>,
    clock: Arc<dyn Clock>,
}

impl Breaker {
    pub(super) fn new(cache: Arc<dyn Cache>, clock: Arc<dyn Clock>) -> Self {
        Self { cache, clock }
    }

    /// Lets a request go out to the interface, or says when to come again. Who was let through tells how it ended
    /// ([`Self::heard`]).
    pub(super) async fn admit(&self, interface: &str, platform: &str) -> Result<(), Outcome> {
        let now = self.clock.now();
        let until = match self.answering(interface).await.turn(now) {
            Turn::Free => return Ok(()),
            Turn::RestsUntil(until) => until,
            // A cache that is away stops nothing.
            Turn::Probe if self.cache.set_if_absent(&probe(interface), b"1", PROBE).await.unwrap_or(true) => {
                return Ok(());
            }
            Turn::Probe => now + AFTER_PROBE,
        };
        Err(Outcome::Waits { until, reason: format!("{platform}一直没有回应，过一会儿再试") })
    }

    /// How a request ended that was let through.
    pub(super) async fn heard(&self, interface: &str, heard: Heard) {
        let before = self.answering(interface).await;
        let now = self.clock.now();
        match heard {
            Heard::Answer if before != Answering::default() => {
                let _ = self.cache.remove(&key(interface)).await;
            }
            Heard::Silence => {
                let after = before.after_silence(now);
                if let Turn::RestsUntil(until) = after.turn(now) {
                    tracing::error!(interface, %until, "an interface does not answer; it rests");
                }
                let kept = serde_json::to_vec(&after).unwrap_or_default();
                let _ = self.cache.set(&key(interface), &kept, KEPT).await;
            }
            Heard::Answer | Heard::Nothing => {}
        }
        if before.turn(now) == Turn::Probe {
            let _ = self.cache.remove(&probe(interface)).await;
        }
    }

    async fn answering(&self, interface: &str) -> Answering {
        let kept = self.cache.get(&key(interface)).await.ok().flatten();
        kept.and_then(|kept| serde_json::from_slice(&kept).ok()).unwrap_or_default()
    }
}

fn key(interface: &str) -> String {
    format!("{interface}:answering")
}

fn probe(interface: &str) -> String {
    format!("{interface}:probe")
}

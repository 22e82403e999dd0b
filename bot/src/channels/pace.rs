//! How fast a robot may post, obeyed by all replicas together through the cache.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use qingfeng_core::{cache::Cache, clock::Clock};
use sha2::{Digest, Sha256};

use crate::delivery::Outcome;

/// So many messages in any such span.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    pub(super) messages: u32,
    pub(super) within: Duration,
}

const MINUTE: Duration = Duration::from_secs(60);
/// Pause of a bot whose clock says that a rest is over while the cache still keeps it.
const LOOKED_AT_AGAIN: TimeDelta = TimeDelta::seconds(5);

/// Both platforms take 20 a minute from a robot; two are left for whoever uses the same key by hand.
pub(super) const TWENTY_A_MINUTE: &[Limit] = &[Limit { messages: 18, within: MINUTE }];
/// 100 a minute and 5 a second; the shorter first, because what it counted in vain is forgotten soonest.
pub(super) const HUNDRED_A_MINUTE: &[Limit] =
    &[Limit { messages: 5, within: Duration::from_secs(1) }, Limit { messages: 90, within: MINUTE }];

pub(super) struct Pace {
    cache: Arc<dyn Cache>,
    clock: Arc<dyn Clock>,
}

impl Pace {
    pub(super) fn new(cache: Arc<dyn Cache>, clock: Arc<dyn Clock>) -> Self {
        Self { cache, clock }
    }

    /// Lets so many messages of one robot go out now, or says when to come again. A message in several parts gets the room
    /// for all of them before the first leaves.
    pub(super) async fn admit(&self, token: &str, limits: &[Limit], messages: usize) -> Result<(), Outcome> {
        let robot = name(token);
        let later = |reason: String| Outcome::Later { at: self.clock.now() + TimeDelta::minutes(1), reason };
        if let Some(until) = self.rests_until(&robot).await.map_err(later)? {
            return Err(Outcome::Waits { until, reason: "平台要求这个机器人歇一会儿".into() });
        }
        let messages = u32::try_from(messages).unwrap_or(u32::MAX);
        if limits.iter().any(|limit| messages > limit.messages) {
            return Err(Outcome::Final("消息太长，要分的段比平台一次能收的还多".into()));
        }
        for limit in limits {
            let window = format!("{robot}:{}", limit.within.as_secs());
            let wait = self.cache.take_slots(&window, messages, limit.messages, limit.within).await;
            if let Some(wait) = wait.map_err(|fault| later(fault.to_string()))? {
                let until = self.clock.now() + TimeDelta::from_std(wait).unwrap_or(TimeDelta::minutes(1));
                return Err(Outcome::Waits { until, reason: "发送次数已满".into() });
            }
        }
        Ok(())
    }

    /// The platform said: too fast. Nobody posts with this robot until then.
    pub(super) async fn rest(&self, token: &str, until: DateTime<Utc>) {
        let keep = (until - self.clock.now()).to_std().unwrap_or(MINUTE);
        let _ = self.cache.set(&format!("{}:rests", name(token)), until.to_rfc3339().as_bytes(), keep).await;
    }

    async fn rests_until(&self, robot: &str) -> Result<Option<DateTime<Utc>>, String> {
        let kept = self.cache.get(&format!("{robot}:rests")).await.map_err(|fault| fault.to_string())?;
        let until = kept.and_then(|kept| DateTime::parse_from_rfc3339(std::str::from_utf8(&kept).ok()?).ok());
        let (until, now) = (until.map(|until| until.to_utc()), self.clock.now());
        if self.clock.is_simulated() {
            return Ok(until.filter(|until| *until > now));
        }
        // The cache drops the key when the rest is over. Whoever's clock is past it already is wrong, and looks again soon.
        Ok(until.map(|until| until.max(now + LOOKED_AT_AGAIN)))
    }
}

/// The key is a password: not even the shared cache sees it.
fn name(token: &str) -> String {
    format!("robot:{}", hex::encode(Sha256::digest(token.as_bytes())))
}

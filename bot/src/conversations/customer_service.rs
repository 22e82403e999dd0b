//! The mini-program's customer service: a push takes no answer there. What is to be said is a message of its own, of which the
//! platform allows five for each of the person's.

use std::time::Duration;

use qingfeng_core::refusal::Fault;
use tokio::time::{Instant, timeout_at};

use super::{BEING_ANSWERED, Conversations, HANDLED, Push, PushFault, REMEMBERED};
use crate::delivery::Outcome;

/// With less time left nothing leaves any more: it is said at the next delivery, which finds the answer ready.
const TIME_TO_SAY: Duration = Duration::from_secs(1);

impl Conversations {
    /// Says it, once: the push may be delivered again because the platform heard of us too late. What may have arrived is not
    /// said again.
    ///
    /// # Errors
    /// When the platform has not taken it, or it is being said right now: then it delivers the push again.
    pub(super) async fn say(&self, push: &Push, text: &str, by: Instant) -> Result<String, PushFault> {
        if text == HANDLED {
            return Ok(HANDLED.into());
        }
        let said = self.sealer.pseudonym("push_said", &push.digest());
        if !self.cache.set_if_absent(&said, BEING_ANSWERED, REMEMBERED).await? {
            return match self.cache.get(&said).await? {
                Some(state) if state == HANDLED.as_bytes() => Ok(HANDLED.into()),
                // It can still fail: whoever delivers it again must not be told that it is handled.
                _ => Err(Fault::unavailable("this push is being answered").into()),
            };
        }
        match self.leave(push, text, by).await {
            Outcome::Later { reason, .. } | Outcome::Waits { reason, .. } => {
                self.cache.remove(&said).await?;
                Err(Fault::unavailable(reason).into())
            }
            outcome => {
                if !outcome.is_taken() {
                    tracing::warn!(?outcome, "an answer in the customer service did not arrive, or may not have");
                }
                self.cache.set(&said, HANDLED.as_bytes(), REMEMBERED).await?;
                Ok(HANDLED.into())
            }
        }
    }

    /// What came of it by then.
    async fn leave(&self, push: &Push, text: &str, by: Instant) -> Outcome {
        let account = &self.accounts.mini_program;
        // As long as the access token is waited for, nothing has left.
        match timeout_at(by - TIME_TO_SAY, account.get_ready()).await {
            Ok(Ok(())) => {}
            Ok(Err(outcome)) => return outcome,
            Err(_) => {
                let at = self.store.clock().now();
                return Outcome::Later { at, reason: "an answer in the customer service was not ready in time".into() };
            }
        }
        let cut_off = |_| Outcome::Unknown("an answer in the customer service was cut off".into());
        timeout_at(by, account.reply(&push.from, text)).await.unwrap_or_else(cut_off)
    }
}

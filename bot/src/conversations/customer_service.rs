//! The mini-program's customer service: a push takes no answer there. What is to be said is a message of its own, of which the
//! platform allows five for each of the person's.

use qingfeng_core::refusal::Fault;

use super::{Conversations, HANDLED, Push, PushFault, REMEMBERED, in_time};
use crate::delivery::Outcome;

impl Conversations {
    /// Says it, once: the push may be delivered again because the platform heard of us too late. What may have arrived is not
    /// said again.
    ///
    /// # Errors
    /// When the platform has not taken it: then it delivers the push again.
    pub(super) async fn say(&self, push: &Push, text: &str) -> Result<String, PushFault> {
        if text == HANDLED {
            return Ok(HANDLED.into());
        }
        let said = self.sealer.pseudonym("push_said", &push.digest());
        if !self.cache.set_if_absent(&said, b"1", REMEMBERED).await? {
            return Ok(HANDLED.into());
        }
        let reply = async { Ok(self.accounts.mini_program.reply(&push.from, text).await) };
        match in_time(reply).await {
            Ok(Outcome::Later { reason, .. } | Outcome::Waits { reason, .. }) => {
                self.cache.remove(&said).await?;
                Err(Fault::unavailable(reason).into())
            }
            Ok(outcome) => {
                if !outcome.is_taken() {
                    tracing::warn!(?outcome, "an answer in the customer service did not arrive");
                }
                Ok(HANDLED.into())
            }
            // It left, and nobody knows what came of it.
            Err(fault) => {
                tracing::warn!(%fault, "an answer in the customer service may not have arrived");
                Ok(HANDLED.into())
            }
        }
    }
}

//! What the platforms push to us: checked, opened, handed on, and answered in the platform's way.
//!
//! With a key, everything is encrypted both ways, and a plain body is refused: it could be a forgery that got around the key.

mod cipher;
mod clock;
mod envelope;
mod queue;

use std::time::Duration;

use qingfeng_core::randomness::Randomness;

pub use cipher::PushCipher;
pub(crate) use cipher::is_same;
use cipher::signature;
use envelope::Envelope;
pub(crate) use queue::{GivenUp, forget_old_events, given_up, given_up_at_all, work_off};
pub use queue::{Queued, enqueue, try_again};

use crate::conversations::{Conversations, PushFault, Signature, Speaker};

/// A push that is older or newer than this is not taken.
const REPLAYED_WITHIN: Duration = Duration::from_secs(10 * 60);

/// What the platform puts into the query of a push.
#[derive(Clone, Debug, Default, serde::Deserialize)]
pub struct PushQuery {
    /// Over token, time and nonce; WeCom has none.
    #[serde(default)]
    pub signature: String,
    /// Over these and the encrypted text.
    #[serde(default)]
    pub msg_signature: String,
    pub timestamp: String,
    pub nonce: String,
    /// The platform asks whether the address is ours.
    #[serde(default)]
    pub echostr: Option<String>,
}

/// What was agreed in the platform's console.
#[derive(Clone, Debug)]
pub struct PushAgreement {
    pub token: String,
    /// The present key and, while it is being changed, the former one. None = pushes are plain.
    pub ciphers: Vec<PushCipher>,
}

/// Which account of which platform pushes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PushPlatform {
    /// The mini-program: its customer service, and what happens to subscribe messages; plain or encrypted.
    MiniProgram,
    /// The official account, plain or encrypted, with a token and keys of its own.
    OfficialAccount,
    /// Always encrypted, even the question whether the address is ours.
    WeCom,
    /// The smart robot of WeCom: as encrypted, in JSON.
    WeComRobot,
}

/// The address to which one platform pushes.
pub struct Callback<'a> {
    pub platform: PushPlatform,
    pub agreement: &'a PushAgreement,
    pub conversations: &'a Conversations,
    pub randomness: &'a dyn Randomness,
}

impl Callback<'_> {
    /// The platform asks whether this address is ours: what to answer.
    ///
    /// # Errors
    /// When it is not the platform that asks.
    pub fn verify(&self, query: &PushQuery) -> Result<String, PushFault> {
        let echo = query.echostr.clone().ok_or(PushFault::Unreadable)?;
        match self.platform {
            // Plain, even where messages are encrypted.
            PushPlatform::MiniProgram | PushPlatform::OfficialAccount
                if self.is_signed_plain(query) && self.is_recent(query) =>
            {
                Ok(echo)
            }
            // A plus sign that was not escaped in the address has become a blank.
            PushPlatform::WeCom | PushPlatform::WeComRobot if self.is_recent(query) => {
                self.open(query, &echo.replace(' ', "+")).map(|(text, _)| text)
            }
            _ => Err(PushFault::Forged),
        }
    }

    /// Takes a push; gives the body of the answer.
    ///
    /// # Errors
    /// When it is not the platform's, not readable, or something of ours does not answer: then it is delivered again.
    pub async fn handle(&self, query: &PushQuery, body: &[u8]) -> Result<String, PushFault> {
        if self.agreement.ciphers.is_empty() {
            let may_be_plain = matches!(self.platform, PushPlatform::MiniProgram | PushPlatform::OfficialAccount);
            if !may_be_plain || !self.is_signed_plain(query) {
                return Err(PushFault::Forged);
            }
            self.check_time(query).await?;
            return self.taken(body).await;
        }
        let envelope = Envelope::parse(body).ok_or(PushFault::Unreadable)?;
        let (message, cipher) = self.open(query, &envelope.encrypted)?;
        self.check_time(query).await?;
        let answer = self.taken(message.as_bytes()).await?;
        // "Handled, nothing to say" is plain in every mode.
        if !answer.starts_with(['<', '{']) {
            return Ok(answer);
        }
        let encrypted = cipher.seal(&answer, self.randomness.bytes());
        let signature = signature(&self.agreement.token, &query.timestamp, &query.nonce, &encrypted);
        Ok(match self.platform {
            PushPlatform::WeComRobot => {
                Envelope::answer_of_robot(&encrypted, &signature, &query.timestamp, &query.nonce)
            }
            _ => envelope.answer(&encrypted, &signature, &query.timestamp, &query.nonce),
        })
    }

    async fn taken(&self, message: &[u8]) -> Result<String, PushFault> {
        match self.platform {
            PushPlatform::MiniProgram => self.conversations.take(Speaker::MiniProgram, message).await,
            PushPlatform::OfficialAccount => self.conversations.take(Speaker::OfficialAccount, message).await,
            PushPlatform::WeCom => self.conversations.take(Speaker::Staff, message).await,
            PushPlatform::WeComRobot => self.conversations.take_at_robot(message).await,
        }
    }

    fn is_signed_plain(&self, query: &PushQuery) -> bool {
        let signature = Signature {
            signature: query.signature.clone(),
            timestamp: query.timestamp.clone(),
            nonce: query.nonce.clone(),
        };
        signature.is_by(&self.agreement.token)
    }

    /// The signature says nothing of when: what was caught once could be played for ever. A delivery that is repeated is
    /// signed anew.
    fn is_recent(&self, query: &PushQuery) -> bool {
        let now = self.conversations.store.clock().now().timestamp();
        query.timestamp.parse::<i64>().is_ok_and(|at| now.abs_diff(at) <= REPLAYED_WITHIN.as_secs())
    }

    /// The same of a push that is rightly signed, which tells of our clock.
    async fn check_time(&self, query: &PushQuery) -> Result<(), PushFault> {
        let (store, cache) = (&self.conversations.store, &*self.conversations.cache);
        if self.is_recent(query) {
            clock::agrees(store, cache).await;
            return Ok(());
        }
        tracing::warn!(platform = ?self.platform, "a push is signed, but not of these ten minutes: is the clock right?");
        clock::disagrees(store, cache).await;
        Err(PushFault::Forged)
    }

    fn open(&self, query: &PushQuery, encrypted: &str) -> Result<(String, &PushCipher), PushFault> {
        let expected = signature(&self.agreement.token, &query.timestamp, &query.nonce, encrypted);
        if !is_same(&expected, &query.msg_signature) {
            return Err(PushFault::Forged);
        }
        self.agreement
            .ciphers
            .iter()
            .find_map(|cipher| Some((cipher.open(encrypted)?, cipher)))
            .ok_or(PushFault::Forged)
    }
}

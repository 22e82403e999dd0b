//! What happens to a push on its way to the account's server, on demand.

use serde::{Deserialize, Serialize};

use crate::{crypt::Flaw, journal::Platform};

/// What is wrong with a delivery that was tampered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tampering {
    /// The signature is not over what was sent.
    Signature,
    /// A letter of the encrypted text was changed after it was signed.
    Ciphertext,
    /// Rightly signed, but for another receiver.
    Receiver,
    /// Rightly signed, but the frame says that it is longer than it is.
    Length,
    /// Rightly signed, but the frame ends in padding that no honest one has.
    Padding,
    /// The message in the clear where it should be encrypted, with a right signature over token, time and nonce.
    Plain,
}

impl Tampering {
    /// What the frame inside the encryption has wrong.
    pub(crate) fn flaw(self) -> Option<Flaw> {
        match self {
            Self::Receiver => Some(Flaw::Receiver),
            Self::Length => Some(Flaw::Length),
            Self::Padding => Some(Flaw::Padding),
            Self::Signature | Self::Ciphertext | Self::Plain => None,
        }
    }
}

/// What happens to a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PushFaultKind {
    /// One delivery is not what the platform sent. The next one is honest, unless this one was taken. Without a key
    /// only the signature can be tampered with: nothing else is protected.
    Tampered { part: Tampering },
    /// Delivered once more although the server took it.
    Duplicate,
    /// Waits until another push has arrived, or the faults are cleared: arrives out of order.
    Held,
}

/// Which pushes, and how many deliveries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushFault {
    /// WeChat or WeCom; the others push nothing.
    pub platform: Platform,
    /// `text` or the name of an event; without it every push.
    #[serde(default)]
    pub subject: Option<String>,
    #[serde(default = "once")]
    pub times: u32,
    #[serde(flatten)]
    pub kind: PushFaultKind,
}

fn once() -> u32 {
    1
}

impl PushFault {
    /// For one delivery of whatever is pushed next.
    #[must_use]
    pub fn new(platform: Platform, kind: PushFaultKind) -> Self {
        Self { platform, subject: None, times: 1, kind }
    }

    #[must_use]
    pub fn of(mut self, subject: &str) -> Self {
        self.subject = Some(subject.to_owned());
        self
    }

    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }
}

#[derive(Default)]
pub(crate) struct PushFaults(Vec<PushFault>);

impl PushFaults {
    pub(crate) fn add(&mut self, fault: PushFault) {
        self.0.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn list(&self) -> &[PushFault] {
        &self.0
    }

    /// The oldest fault of a kind that meets the push; its remaining times go down.
    pub(crate) fn meet(
        &mut self,
        platform: Platform,
        subject: &str,
        of_kind: fn(PushFaultKind) -> bool,
    ) -> Option<PushFaultKind> {
        let position = self.0.iter().position(|fault| {
            fault.platform == platform
                && fault.times > 0
                && fault.subject.as_deref().is_none_or(|only| only == subject)
                && of_kind(fault.kind)
        })?;
        let kind = self.0[position].kind;
        self.0[position].times -= 1;
        self.0.retain(|fault| fault.times > 0);
        Some(kind)
    }
}

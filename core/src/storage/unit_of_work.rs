use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::DatabaseTransaction;

use super::IdempotencyKey;
use crate::{
    audit::AuditEntry,
    clock::{Clock, shanghai_date},
    outbox::Notice,
    people::Actor,
    randomness::Randomness,
};

/// Who does something, and the key under which a repetition of the same request is recognized.
#[derive(Clone, Debug)]
pub struct Command {
    pub actor: Actor,
    pub idempotency: Option<IdempotencyKey>,
}

impl Command {
    #[must_use]
    pub fn by(actor: &Actor) -> Self {
        Self { actor: actor.clone(), idempotency: None }
    }

    #[must_use]
    pub fn once(actor: &Actor, key: Option<IdempotencyKey>) -> Self {
        Self { actor: actor.clone(), idempotency: key }
    }
}

/// What a command leaves behind beside the rows it wrote.
#[derive(Debug)]
pub struct Done<T> {
    pub value: T,
    /// One per act. A command by staff without an audit record is refused by the store.
    pub audit: Vec<AuditEntry>,
    /// Messages that the fact causes.
    pub notices: Vec<Notice>,
}

impl<T> Done<T> {
    pub fn new(value: T, audit: AuditEntry) -> Self {
        Self { value, audit: vec![audit], notices: Vec::new() }
    }

    #[must_use]
    pub fn telling(mut self, notices: impl IntoIterator<Item = Notice>) -> Self {
        self.notices.extend(notices);
        self
    }
}

/// A command's value, and whether it was done now or had been done before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome<T> {
    pub value: T,
    pub replayed: bool,
}

/// The open transaction of one command.
pub struct UnitOfWork {
    pub(super) transaction: DatabaseTransaction,
    pub(super) now: DateTime<Utc>,
    pub(super) randomness: Arc<dyn Randomness>,
}

impl UnitOfWork {
    #[must_use]
    pub fn connection(&self) -> &DatabaseTransaction {
        &self.transaction
    }

    /// The instant of the command: the same for everything it writes.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// Today's date in China.
    #[must_use]
    pub fn today(&self) -> NaiveDate {
        shanghai_date(self.now)
    }

    #[must_use]
    pub fn randomness(&self) -> &dyn Randomness {
        &*self.randomness
    }
}

/// Time and randomness, handed in so that tests decide them.
#[derive(Clone)]
pub struct Surroundings {
    pub clock: Arc<dyn Clock>,
    pub randomness: Arc<dyn Randomness>,
}

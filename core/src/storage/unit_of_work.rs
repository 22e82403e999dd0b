use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::{ConnectionTrait as _, DbBackend, EntityTrait, PrimaryKeyTrait, QuerySelect as _, QueryTrait, Statement};

use super::{IdempotencyKey, session::Session, together::Write};
use crate::{
    audit::AuditEntry,
    clock::{Clock, shanghai_date},
    outbox::Notice,
    people::Actor,
    randomness::Randomness,
    refusal::{Fault, Refusal},
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

    #[must_use]
    pub fn recording(mut self, more: impl IntoIterator<Item = AuditEntry>) -> Self {
        self.audit.extend(more);
        self
    }
}

/// A command's value, and whether it was done now or had been done before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome<T> {
    pub value: T,
    pub replayed: bool,
}

/// One command's work: its transaction, its instant, its randomness.
pub struct UnitOfWork {
    pub(super) session: Session,
    pub(super) now: DateTime<Utc>,
    pub(super) randomness: Arc<dyn Randomness>,
}

impl UnitOfWork {
    /// The transaction. Sees everything the command has written, also what it wrote [`later`](Self::later).
    #[must_use]
    pub fn connection(&self) -> &Session {
        &self.session
    }

    /// Writes with whatever else the command writes, in one round trip, before anything is read and at the latest at the end.
    pub fn later(&self, query: &impl QueryTrait) {
        let statement = query.build(self.session.get_database_backend());
        self.session.keep_back(Write { statement, must_hold: false });
    }

    /// The same for a change that was decided on what was [seen](super::Store::lanes) before the command: its condition
    /// names that. When it meets no row any more, the command is [overtaken](crate::refusal::Fault::Overtaken) and leaves
    /// nothing.
    pub fn later_if_it_holds(&self, query: &impl QueryTrait) {
        let statement = query.build(self.session.get_database_backend());
        self.session.keep_back(Write { statement, must_hold: true });
    }

    /// Lets one transaction at a time through, among all that name the same thing; until it ends. SQLite has one writer
    /// anyway.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn one_at_a_time(&self, name: &str) -> Result<(), Fault> {
        let backend = self.session.get_database_backend();
        if backend == DbBackend::Postgres {
            let lock = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))";
            self.session.execute_raw(Statement::from_sql_and_values(backend, lock, [name.into()])).await?;
        }
        Ok(())
    }

    /// The row under this key as it is now; nobody else changes it before the command ends.
    ///
    /// # Errors
    /// `not_found`; when the database does not answer.
    pub async fn locked<E: EntityTrait>(
        &self,
        key: impl Into<<E::PrimaryKey as PrimaryKeyTrait>::ValueType> + Send,
    ) -> Result<E::Model, Fault> {
        let row = E::find_by_id(key).lock_exclusive().one(&self.session).await?;
        Ok(row.ok_or_else(Refusal::not_found)?)
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

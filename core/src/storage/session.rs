//! The transaction of one command, opened as late as it can be. Writes that nobody waits for are kept back and go to the
//! database together: most commands then cost one reading and one writing round trip, whatever they write.

use std::{
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, Statement,
    TransactionTrait,
};
use tokio::sync::OnceCell;

use super::together::{self, Pending, Write};
use crate::{audit::records, refusal::Fault};

/// Where the transaction comes from.
#[derive(Clone)]
pub(super) enum Door {
    /// Any connection of the pool: other commands run at the same time.
    Pool(DatabaseConnection),
    /// The transaction of a group of commands, which run one after the other.
    Group(Arc<DatabaseTransaction>),
    /// Nowhere: the command only writes.
    Closed(DbBackend),
}

/// The database as one command sees it. Using it opens the command's transaction, and first writes what was kept back.
pub struct Session {
    door: Door,
    opened: OnceCell<DatabaseTransaction>,
    pending: Mutex<Pending>,
}

impl Session {
    pub(super) fn new(door: Door) -> Self {
        Self { door, opened: OnceCell::new(), pending: Mutex::default() }
    }

    pub(super) fn keep_back(&self, write: Write) {
        self.pending().writes.push(write);
    }

    pub(crate) fn keep_record(&self, record: records::Model) {
        self.pending().records.push(record);
    }

    fn pending(&self) -> std::sync::MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn open(&self) -> Result<&DatabaseTransaction, DbErr> {
        let transaction = self
            .opened
            .get_or_try_init(|| async {
                match &self.door {
                    Door::Pool(connection) => connection.begin().await,
                    Door::Group(group) => group.begin().await,
                    Door::Closed(_) => Err(DbErr::Custom("a command that only writes does not read".to_owned())),
                }
            })
            .await?;
        let writes = mem::take(&mut self.pending().writes);
        if !writes.is_empty() {
            together::write(transaction, Pending { writes, records: Vec::new() }).await?;
        }
        Ok(transaction)
    }

    /// Writes what was kept back and makes everything last.
    pub(super) async fn finish(self) -> Result<(), Fault> {
        let pending = self.pending.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(transaction) = self.opened.into_inner() {
            return finish_opened(transaction, pending).await;
        }
        if pending.is_empty() {
            return Ok(());
        }
        let transaction = match self.door {
            Door::Pool(connection) if pending.fits_one_statement() => {
                return Ok(together::write(&connection, pending).await?);
            }
            Door::Pool(connection) => connection.begin().await?,
            Door::Group(group) => group.begin().await?,
            Door::Closed(_) => return Err(Fault::unavailable("a command that only writes has no transaction")),
        };
        finish_opened(transaction, pending).await
    }

    /// What a command that only writes has to write.
    pub(super) fn into_pending(self) -> Pending {
        self.pending.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Undoes everything.
    pub(super) async fn abandon(self) -> Result<(), Fault> {
        match self.opened.into_inner() {
            Some(transaction) => Ok(transaction.rollback().await?),
            None => Ok(()),
        }
    }
}

async fn finish_opened(transaction: DatabaseTransaction, pending: Pending) -> Result<(), Fault> {
    match together::write(&transaction, pending).await {
        Ok(()) => Ok(transaction.commit().await?),
        Err(error) => {
            transaction.rollback().await?;
            Err(error.into())
        }
    }
}

#[async_trait]
impl ConnectionTrait for Session {
    fn get_database_backend(&self) -> DbBackend {
        match &self.door {
            Door::Pool(connection) => connection.get_database_backend(),
            Door::Group(group) => group.get_database_backend(),
            Door::Closed(backend) => *backend,
        }
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.open().await?.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.open().await?.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.open().await?.query_one_raw(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.open().await?.query_all_raw(statement).await
    }
}

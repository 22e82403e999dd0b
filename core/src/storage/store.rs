use std::{str::FromStr, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use qingfeng_migrations::{Migrator, MigratorTrait};
use sea_orm::{ConnectOptions, Database, DatabaseConnection, DatabaseTransaction, TransactionTrait};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    Command, DatabaseSettings, Done, Engine, Outcome, Surroundings, UnitOfWork, group_commit::GroupCommit, idempotency,
};
use crate::{audit, clock::Clock, ids::CountyId, outbox, people::Actor, randomness::Randomness, refusal::Fault};

/// How long a request waits for a free connection before it is told to come back.
const WAIT_FOR_CONNECTION: Duration = Duration::from_secs(5);

/// The door to the database.
#[derive(Clone)]
pub struct Store {
    reader: DatabaseConnection,
    writer: Writer,
    surroundings: Surroundings,
    engine: Engine,
}

#[derive(Clone)]
enum Writer {
    Grouped(GroupCommit),
    Concurrent(DatabaseConnection),
}

/// The body of a command: runs in the open transaction.
pub type Work<'w, T> = BoxFuture<'w, Result<T, Fault>>;

impl Store {
    /// Connects; does not change the schema.
    ///
    /// # Errors
    /// When the address is wrong or the database does not answer.
    pub async fn connect(settings: &DatabaseSettings, surroundings: Surroundings) -> Result<Self, Fault> {
        let engine = settings.engine()?;
        let (reader, writer) = match engine {
            Engine::Sqlite => {
                let writer = connect_sqlite(settings, 1).await?;
                let reader = connect_sqlite(settings, settings.connections).await?;
                (reader, Writer::Grouped(GroupCommit::start(writer)))
            }
            Engine::Postgres => {
                let connection = connect_postgres(settings).await?;
                (connection.clone(), Writer::Concurrent(connection))
            }
        };
        Ok(Self { reader, writer, surroundings, engine })
    }

    /// Brings the schema up to date.
    ///
    /// # Errors
    /// When a migration fails; migrations before it stay.
    pub async fn migrate(&self) -> Result<(), Fault> {
        Ok(Migrator::up(&self.reader, None).await?)
    }

    /// For reading. Writing through it would leave no audit record.
    #[must_use]
    pub fn reader(&self) -> &DatabaseConnection {
        &self.reader
    }

    #[must_use]
    pub fn engine(&self) -> Engine {
        self.engine
    }

    #[must_use]
    pub fn clock(&self) -> &dyn Clock {
        &*self.surroundings.clock
    }

    #[must_use]
    pub fn randomness(&self) -> &dyn Randomness {
        &*self.surroundings.randomness
    }

    #[must_use]
    pub fn surroundings(&self) -> &Surroundings {
        &self.surroundings
    }

    /// Does one act: the idempotency row first (a transaction that begins with a write waits for others instead of
    /// failing, see ARCHITECTURE.md), then `work`, its audit records and messages; all or nothing.
    ///
    /// # Errors
    /// What `work` refuses; a fault of the database.
    pub async fn command<T, F>(&self, county: CountyId, command: &Command, work: F) -> Result<Outcome<T>, Fault>
    where
        T: Serialize + DeserializeOwned + Send + 'static,
        F: for<'w> FnOnce(&'w UnitOfWork) -> Work<'w, Done<T>> + Send + 'static,
    {
        let command = command.clone();
        self.transact(move |unit| {
            Box::pin(async move {
                if let Some(key) = &command.idempotency
                    && let Some(value) = idempotency::claim(unit, county, key).await?
                {
                    return Ok(Outcome { value, replayed: true });
                }
                let done = work(unit).await?;
                if done.audit.is_empty() && matches!(command.actor, Actor::Staff(_)) {
                    return Err(Fault::unavailable("a command by staff left no audit record"));
                }
                outbox::enqueue(unit, county, done.notices).await?;
                if let Some(key) = &command.idempotency {
                    let answer = serde_json::to_value(&done.value).map_err(Fault::unavailable)?;
                    idempotency::keep(unit, key, answer).await?;
                }
                // Last, because it locks the head of a chain that other commands wait for.
                audit::append(unit, county, &command.actor, done.audit).await?;
                Ok(Outcome { value: done.value, replayed: false })
            })
        })
        .await
    }

    /// Writes what nobody may link to a person: no idempotency row, no audit record, no message.
    ///
    /// # Errors
    /// What `work` refuses; a fault of the database.
    pub async fn anonymous<T, F>(&self, work: F) -> Result<T, Fault>
    where
        T: Send + 'static,
        F: for<'w> FnOnce(&'w UnitOfWork) -> Work<'w, T> + Send + 'static,
    {
        self.transact(work).await
    }

    /// Writes of the machinery itself (leases, sessions, jobs) that are no act of a person.
    ///
    /// # Errors
    /// What `work` refuses; a fault of the database.
    pub async fn housekeeping<T, F>(&self, work: F) -> Result<T, Fault>
    where
        T: Send + 'static,
        F: for<'w> FnOnce(&'w UnitOfWork) -> Work<'w, T> + Send + 'static,
    {
        self.transact(work).await
    }

    async fn transact<T, F>(&self, work: F) -> Result<T, Fault>
    where
        T: Send + 'static,
        F: for<'w> FnOnce(&'w UnitOfWork) -> Work<'w, T> + Send + 'static,
    {
        let now = self.surroundings.clock.now();
        let randomness = Arc::clone(&self.surroundings.randomness);
        let run = move |transaction: DatabaseTransaction| -> BoxFuture<'static, Result<T, Fault>> {
            Box::pin(async move {
                let unit = UnitOfWork { transaction, now, randomness };
                let result = work(&unit).await;
                match result {
                    Ok(value) => {
                        unit.transaction.commit().await?;
                        Ok(value)
                    }
                    Err(fault) => {
                        unit.transaction.rollback().await?;
                        Err(fault)
                    }
                }
            })
        };
        match &self.writer {
            Writer::Grouped(writer) => writer.run(run).await,
            Writer::Concurrent(connection) => run(connection.begin().await?).await,
        }
    }
}

fn options(settings: &DatabaseSettings, connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(&settings.url);
    options
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(WAIT_FOR_CONNECTION)
        .connect_timeout(WAIT_FOR_CONNECTION)
        .test_before_acquire(false)
        // Statements carry what people wrote: never in the log.
        .sqlx_logging(false);
    options
}

async fn connect_sqlite(settings: &DatabaseSettings, connections: u32) -> Result<DatabaseConnection, Fault> {
    use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
    let mut options = options(settings, connections);
    options.map_sqlx_sqlite_opts(|options| {
        options
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // What was accepted survives a power cut.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(WAIT_FOR_CONNECTION)
            .statement_cache_capacity(512)
    });
    Ok(Database::connect(options).await?)
}

async fn connect_postgres(settings: &DatabaseSettings) -> Result<DatabaseConnection, Fault> {
    sea_orm::sqlx::postgres::PgConnectOptions::from_str(&settings.url)
        .map_err(|_| Fault::unavailable("the database address cannot be read"))?;
    Ok(Database::connect(options(settings, settings.connections)).await?)
}

use std::{str::FromStr, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use qingfeng_migrations::{Migrator, MigratorTrait};
use sea_orm::{ConnectOptions, Database, DatabaseConnection};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    Command, DatabaseSettings, Done, Engine, Outcome, Surroundings, UnitOfWork,
    group_commit::GroupCommit,
    idempotency,
    session::{Door, Session},
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

    /// Does one act: `work`, its audit records, its messages and the idempotency row; all or nothing. The row comes with
    /// the rest, not first: a request that was done before finds its answer when it cannot be done again.
    ///
    /// # Errors
    /// What `work` refuses; [`Fault::Overtaken`] when another command came between; a fault of the database.
    pub async fn command<T, F>(&self, county: CountyId, command: &Command, work: F) -> Result<Outcome<T>, Fault>
    where
        T: Serialize + DeserializeOwned + Send + 'static,
        F: for<'w> FnOnce(&'w UnitOfWork) -> Work<'w, Done<T>> + Send + 'static,
    {
        let Command { actor, idempotency } = command.clone();
        let done = self
            .transact(move |unit| {
                Box::pin(async move {
                    let done = work(unit).await?;
                    if done.audit.is_empty() && matches!(actor, Actor::Staff(_)) {
                        return Err(Fault::unavailable("a command by staff left no audit record"));
                    }
                    outbox::enqueue_later(unit, county, done.notices);
                    if let Some(key) = &idempotency {
                        let answer = serde_json::to_value(&done.value).map_err(Fault::unavailable)?;
                        idempotency::keep(unit, county, key, answer);
                    }
                    audit::append(unit, county, &actor, done.audit);
                    Ok(done.value)
                })
            })
            .await;
        match (done, &command.idempotency) {
            (Ok(value), _) => Ok(Outcome { value, replayed: false }),
            (Err(fault @ (Fault::Refused(_) | Fault::Overtaken)), Some(key)) => {
                match idempotency::find(&self.reader, key).await? {
                    Some(value) => Ok(Outcome { value, replayed: true }),
                    None => Err(fault),
                }
            }
            (Err(fault), _) => Err(fault),
        }
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
        let run = move |door: Door| -> BoxFuture<'static, Result<T, Fault>> {
            Box::pin(async move {
                let unit = UnitOfWork { session: Session::new(door), now, randomness };
                let result = work(&unit).await;
                match result {
                    Ok(value) => unit.session.finish().await.map(|()| value),
                    Err(fault) => {
                        unit.session.abandon().await?;
                        Err(fault)
                    }
                }
            })
        };
        match &self.writer {
            Writer::Grouped(writer) => writer.run(|group| run(Door::Group(group))).await,
            Writer::Concurrent(connection) => run(Door::Pool(connection.clone())).await,
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

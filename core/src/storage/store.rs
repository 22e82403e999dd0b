use std::{str::FromStr, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use qingfeng_migrations::{Migrator, MigratorTrait};
use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, QueryResult, TransactionTrait as _,
    sqlx::sqlite::SqliteConnectOptions,
};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    Command, DatabaseSettings, Done, Engine, IdempotencyKey, Outcome, Surroundings, UnitOfWork,
    group_commit::GroupCommit,
    idempotency,
    lanes::Lanes,
    looks::{Look, Looks},
    script_writer::ScriptWriter,
    session::{Door, Session},
    statement_writer::StatementWriter,
    together::{self, Pending, Values},
};
use crate::{audit, clock::Clock, ids::CountyId, outbox, people::Actor, randomness::Randomness, refusal::Fault};

/// How long a request waits for a free connection before it is told to come back.
pub(super) const WAIT_FOR_CONNECTION: Duration = Duration::from_secs(5);

/// The door to the database.
#[derive(Clone)]
pub struct Store {
    reader: DatabaseConnection,
    lanes: Lanes,
    looks: Looks,
    writer: Writer,
    surroundings: Surroundings,
    engine: Engine,
}

#[derive(Clone)]
enum Writer {
    Grouped(GroupCommit, ScriptWriter),
    Concurrent(DatabaseConnection, StatementWriter),
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
        let lanes = |pool: &DatabaseConnection| Lanes::beside(pool, (settings.connections / 2).max(1) as usize);
        let (lanes, reader, writer) = match engine {
            Engine::Sqlite => {
                let writer = connect_sqlite(settings, 1).await?;
                let reader = connect_sqlite(settings, settings.connections).await?;
                let turn = Arc::default();
                let file = settings.url.parse::<SqliteConnectOptions>().map_err(Fault::unavailable)?;
                let scripts =
                    ScriptWriter::start(file.get_filename().to_owned(), WAIT_FOR_CONNECTION, Arc::clone(&turn))?;
                (lanes(&reader), reader, Writer::Grouped(GroupCommit::start(writer, turn), scripts))
            }
            Engine::Postgres => {
                let connection = connect_postgres(settings).await?;
                let lanes = lanes(&connection);
                let statements = StatementWriter::over(lanes.clone());
                (lanes, connection.clone(), Writer::Concurrent(connection, statements))
            }
        };
        let looks = Looks::over(lanes.clone());
        Ok(Self { reader, lanes, looks, writer, surroundings, engine })
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

    /// For what is read often and by itself: a statement here costs one round trip less than through the
    /// [`reader`](Self::reader).
    #[must_use]
    pub fn lanes(&self) -> &Lanes {
        &self.lanes
    }

    /// What many ask at the same time: asked together, on a lane.
    pub(crate) async fn look(&self, look: &'static Look, values: Values) -> Result<Option<QueryResult>, Fault> {
        self.looks.at(look, values).await
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
        let leaving = command.clone();
        let done = self
            .transact(move |unit| {
                Box::pin(async move {
                    let done = work(unit).await?;
                    leave(unit, county, &leaving, done)
                })
            })
            .await;
        match done {
            Ok(value) => Ok(Outcome { value, replayed: false }),
            Err(fault) => self.unless_done_before(command.idempotency.as_ref(), fault).await,
        }
    }

    /// Does one act that reads nothing: it was decided on what was seen before, and writes that rely on it
    /// [must hold](UnitOfWork::later_if_it_holds). The cheapest way to write: one round trip, no lock before it.
    ///
    /// # Errors
    /// What `work` refuses; [`Fault::Overtaken`] when another command came between; a fault of the database.
    pub async fn command_without_reading<T, F>(
        &self,
        county: CountyId,
        command: &Command,
        work: F,
    ) -> Result<Outcome<T>, Fault>
    where
        T: Serialize + DeserializeOwned,
        F: FnOnce(&UnitOfWork) -> Result<Done<T>, Fault>,
    {
        let done = async {
            let unit = UnitOfWork {
                session: Session::new(Door::Closed(self.reader.get_database_backend())),
                now: self.surroundings.clock.now(),
                randomness: Arc::clone(&self.surroundings.randomness),
            };
            let value = work(&unit).and_then(|done| leave(&unit, county, command, done))?;
            self.write(unit.session.into_pending()).await?;
            Ok(value)
        };
        match done.await {
            Ok(value) => Ok(Outcome { value, replayed: false }),
            Err(fault) => self.unless_done_before(command.idempotency.as_ref(), fault).await,
        }
    }

    /// What could not be done may have been done before, by the same request: then its answer is given again.
    ///
    /// # Errors
    /// The fault, when it was not.
    pub(crate) async fn unless_done_before<T: DeserializeOwned>(
        &self,
        key: Option<&IdempotencyKey>,
        fault: Fault,
    ) -> Result<Outcome<T>, Fault> {
        if let (Fault::Refused(_) | Fault::Overtaken, Some(key)) = (&fault, key)
            && let Some(value) = idempotency::find(&self.reader, key).await?
        {
            return Ok(Outcome { value, replayed: true });
        }
        Err(fault)
    }

    async fn write(&self, pending: Pending) -> Result<(), Fault> {
        match &self.writer {
            Writer::Grouped(_, scripts) => scripts.write(pending).await,
            Writer::Concurrent(_, statements) if pending.fits_one_statement() => statements.write(pending).await,
            Writer::Concurrent(connection, _) => {
                let transaction = connection.begin().await?;
                together::write(&transaction, pending).await?;
                Ok(transaction.commit().await?)
            }
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
            Writer::Grouped(writer, _) => writer.run(|group| run(Door::Group(group))).await,
            Writer::Concurrent(connection, _) => run(Door::Pool(connection.clone())).await,
        }
    }
}

/// What a command leaves beside what it wrote: messages, the answer for a repetition, audit records.
fn leave<T: Serialize>(unit: &UnitOfWork, county: CountyId, command: &Command, done: Done<T>) -> Result<T, Fault> {
    if done.audit.is_empty() && matches!(command.actor, Actor::Staff(_)) {
        return Err(Fault::unavailable("a command by staff left no audit record"));
    }
    outbox::enqueue_later(unit, county, done.notices);
    if let Some(key) = &command.idempotency {
        let answer = serde_json::to_value(&done.value).map_err(Fault::unavailable)?;
        idempotency::keep(unit, county, key, answer);
    }
    audit::append(unit, county, &command.actor, done.audit);
    Ok(done.value)
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

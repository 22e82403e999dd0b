//! Connections for the busiest statements. The pool asks the database for a sign of life whenever a connection comes back,
//! a round trip as dear as a small statement. A lane asks nothing: after a statement that the database answered it is ready
//! for the next one. One whose answer did not come, or whose caller hung up in between, is closed.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use sea_orm::{
    ConnAcquireErr, ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr,
    Statement,
    sqlx::{self, ConnectOptions as _, Connection, Database, Postgres, Sqlite},
};
use sea_query_sqlx::SqlxValues;
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};

use super::store::WAIT_FOR_CONNECTION;

/// What a connection gathers in memory is given back in the end.
const OLDEST: Duration = Duration::from_secs(30 * 60);

/// Each statement runs by itself, on any connection, as a transaction of its own.
#[derive(Clone)]
pub struct Lanes {
    pool: DatabaseConnection,
    kept: Kept,
}

#[derive(Clone)]
enum Kept {
    Postgres(Arc<Connections<Postgres>>),
    Sqlite(Arc<Connections<Sqlite>>),
}

struct Connections<DB: Database> {
    options: <DB::Connection as Connection>::Options,
    idle: Mutex<Vec<Lane<DB>>>,
    turns: Semaphore,
}

struct Lane<DB: Database> {
    connection: DB::Connection,
    since: Instant,
}

/// A lane that somebody has; closed when it is dropped before its statement was answered.
struct Taken<'a, DB: Database> {
    lane: Lane<DB>,
    home: &'a Connections<DB>,
    _turn: SemaphorePermit<'a>,
}

impl Lanes {
    /// So many lanes to where the pool's connections lead; each is opened when it is needed first.
    pub(super) fn beside(pool: &DatabaseConnection, lanes: usize) -> Self {
        let kept = match pool.get_database_backend() {
            DbBackend::Postgres => {
                let options = pool.get_postgres_connection_pool().connect_options();
                Kept::Postgres(Connections::new((*options).clone(), lanes))
            }
            _ => {
                let options = pool.get_sqlite_connection_pool().connect_options();
                Kept::Sqlite(Connections::new((*options).clone(), lanes))
            }
        };
        Self { pool: pool.clone(), kept }
    }
}

impl<DB: Database> Connections<DB> {
    fn new(options: <DB::Connection as Connection>::Options, lanes: usize) -> Arc<Self> {
        Arc::new(Self { options, idle: Mutex::default(), turns: Semaphore::new(lanes) })
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Lane<DB>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn take(&self) -> Result<Taken<'_, DB>, DbErr> {
        let taken = async {
            let turn = self.turns.acquire().await.map_err(|_| sqlx::Error::PoolClosed)?;
            let idle = self.idle().pop();
            let lane = match idle {
                Some(lane) => lane,
                None => Lane { connection: self.options.connect().await?, since: Instant::now() },
            };
            Ok(Taken { lane, home: self, _turn: turn })
        };
        timeout(WAIT_FOR_CONNECTION, taken)
            .await
            .map_err(|_| DbErr::ConnectionAcquire(ConnAcquireErr::Timeout))?
            .map_err(|error: sqlx::Error| DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error))))
    }
}

impl<DB: Database> Taken<'_, DB> {
    /// Its statement was answered, by whatever answer.
    fn keep(self) {
        if self.lane.since.elapsed() < OLDEST {
            self.home.idle().push(self.lane);
        }
    }
}

/// Runs a statement on a lane of whichever engine it is.
macro_rules! on_lane {
    ($lanes:expr, $statement:ident, $fetch:ident, $fault:path, |$result:ident| $answer:expr) => {
        match &$lanes.kept {
            Kept::Postgres(connections) => on_lane!(connections, $statement, $fetch, $fault, |$result| $answer, _),
            Kept::Sqlite(connections) => on_lane!(connections, $statement, $fetch, $fault, |$result| $answer, _),
        }
    };
    ($connections:ident, $statement:ident, $fetch:ident, $fault:path, |$result:ident| $answer:expr, _) => {{
        let values = SqlxValues($statement.values.unwrap_or(sea_orm::Values(Vec::new())));
        let query = sqlx::query_with(sqlx::AssertSqlSafe($statement.sql), values);
        let mut taken = $connections.take().await?;
        let answered = query.$fetch(&mut taken.lane.connection).await;
        if matches!(answered, Ok(_) | Err(sqlx::Error::Database(_))) {
            taken.keep();
        }
        let $result = answered.map_err(|error| $fault(RuntimeErr::SqlxError(Arc::new(error))))?;
        Ok($answer)
    }};
}

#[async_trait]
impl ConnectionTrait for Lanes {
    fn get_database_backend(&self) -> DbBackend {
        self.pool.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        on_lane!(self, statement, execute, DbErr::Exec, |done| done.into())
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.pool.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        on_lane!(self, statement, fetch_optional, DbErr::Query, |row| row.map(Into::into))
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        on_lane!(self, statement, fetch_all, DbErr::Query, |rows| rows.into_iter().map(Into::into).collect())
    }
}

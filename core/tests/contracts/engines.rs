//! Opens a fresh engine of each kind for a test.
//!
//! PostgreSQL and Redis are real servers: `make test` starts private ones where none runs and names them in
//! `QINGFENG_TEST_POSTGRES` and `QINGFENG_TEST_REDIS`.

use std::sync::Arc;

use chrono::NaiveDate;
use qingfeng_core::{
    cache::{Cache, MemoryCache, RedisCache},
    clock::{Clock, SimulatedClock},
    randomness::SystemRandomness,
    storage::{DatabaseSettings, Engine, Store, Surroundings},
};
use sea_orm::{ConnectionTrait, Database};
use tempfile::TempDir;

#[path = "schema_once.rs"]
mod schema_once;

pub struct Fixture {
    pub store: Store,
    pub clock: Arc<SimulatedClock>,
    _database: TestDatabase,
}

/// A database that goes away with its test.
pub struct TestDatabase {
    pub url: String,
    _folder: TempDir,
}

impl TestDatabase {
    /// With the schema.
    pub async fn fresh(engine: Engine) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = match engine {
            Engine::Sqlite => {
                std::fs::write(folder.path().join(SQLITE_FILE), schema_once::sqlite_file()).unwrap();
                sqlite_url(&folder)
            }
            Engine::Postgres => fresh_postgres(&format!(" TEMPLATE {}", schema_once::postgres_database())).await,
        };
        Self { url, _folder: folder }
    }

    /// With nothing in it.
    pub async fn empty(engine: Engine) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = match engine {
            Engine::Sqlite => sqlite_url(&folder),
            Engine::Postgres => fresh_postgres("").await,
        };
        Self { url, _folder: folder }
    }
}

const SQLITE_FILE: &str = "facts.sqlite";

fn sqlite_url(folder: &TempDir) -> String {
    format!("sqlite://{}", folder.path().join(SQLITE_FILE).display())
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let Some((server, name)) = self.url.strip_prefix("postgres://").and_then(|_| self.url.rsplit_once('/')) else {
            return;
        };
        let (server, name) = (server.to_owned(), name.to_owned());
        // The test's own runtime is ending: a thread with a runtime of its own drops the database.
        let _ = std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
                let administration = Database::connect(format!("{server}/postgres")).await.unwrap();
                let _ = administration.execute_unprepared(&format!("DROP DATABASE {name} WITH (FORCE)")).await;
            });
        })
        .join();
    }
}

pub fn clock() -> Arc<SimulatedClock> {
    Arc::new(SimulatedClock::at_shanghai(NaiveDate::from_ymd_opt(2026, 3, 2).unwrap(), 9))
}

/// A database of its own, with the schema.
pub async fn store(engine: Engine) -> Fixture {
    store_with(engine, 8).await
}

/// The same with so many connections.
pub async fn store_with(engine: Engine, connections: u32) -> Fixture {
    connected(TestDatabase::fresh(engine).await, connections).await
}

/// A database of its own, with nothing in it.
pub async fn without_schema(engine: Engine, connections: u32) -> Fixture {
    connected(TestDatabase::empty(engine).await, connections).await
}

async fn connected(database: TestDatabase, connections: u32) -> Fixture {
    let clock = clock();
    let surroundings = Surroundings { clock: clock.clone(), randomness: Arc::new(SystemRandomness) };
    let store =
        Store::connect(&DatabaseSettings { url: database.url.clone(), connections }, surroundings).await.unwrap();
    Fixture { store, clock, _database: database }
}

/// A database of its own, made as `template` says.
async fn fresh_postgres(template: &str) -> String {
    let server = schema_once::postgres();
    let name = format!("qingfeng_test_{}", uuid::Uuid::new_v4().simple());
    let administration = Database::connect(format!("{server}/postgres")).await.expect("PostgreSQL answers; see README");
    schema_once::create(&administration, &format!("{name}{template}")).await;
    // Here a server that loses power loses nothing that anybody wants.
    let quick = format!("ALTER DATABASE {name} SET synchronous_commit = off");
    administration.execute_unprepared(&quick).await.unwrap();
    format!("{server}/{name}")
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheEngine {
    Memory,
    Redis,
}

pub async fn cache(engine: CacheEngine) -> (Arc<dyn Cache>, Arc<SimulatedClock>) {
    let clock = clock();
    let shared: Arc<dyn Clock> = clock.clone();
    let cache: Arc<dyn Cache> = match engine {
        CacheEngine::Memory => Arc::new(MemoryCache::new(shared)),
        CacheEngine::Redis => {
            let url = std::env::var("QINGFENG_TEST_REDIS").unwrap_or("redis://127.0.0.1:6379".into());
            Arc::new(RedisCache::connect(&url, shared).await.expect("Redis answers; see README"))
        }
    };
    (cache, clock)
}

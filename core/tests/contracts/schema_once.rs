//! The schema is made once for all tests of a program and copied for each: a hundred migrations cost more than most tests.

use std::{
    sync::{Arc, OnceLock, mpsc},
    time::Duration,
};

use qingfeng_core::{
    clock::{Clock, SimulatedClock},
    randomness::SystemRandomness,
    storage::{DatabaseSettings, Store, Surroundings},
};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};

/// Longer than any run of tests.
const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);
const PREFIX: &str = "qingfeng_template_";

/// Where the tests' PostgreSQL is.
pub fn postgres() -> String {
    std::env::var("QINGFENG_TEST_POSTGRES").unwrap_or("postgres://postgres@127.0.0.1:5432".into())
}

/// A file with the schema and nothing in it.
pub fn sqlite_file() -> &'static [u8] {
    static FILE: OnceLock<Vec<u8>> = OnceLock::new();
    FILE.get_or_init(|| {
        apart(|| async {
            let folder = tempfile::tempdir().unwrap();
            let (made, whole) = (folder.path().join("made.sqlite"), folder.path().join("whole.sqlite"));
            let url = format!("sqlite://{}", made.display());
            migrate(&url).await;
            let connection = Database::connect(url).await.unwrap();
            connection.execute_unprepared(&format!("VACUUM INTO '{}'", whole.display())).await.unwrap();
            std::fs::read(whole).unwrap()
        })
    })
}

/// The name of a database with the schema and nothing in it, as long as this program runs.
pub fn postgres_database() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| {
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || {
            runtime().block_on(async {
                let name = make_postgres_database().await;
                tell.send(name.0).unwrap();
                // The lock is held by the connection.
                std::future::pending::<()>().await;
                drop(name.1);
            });
        });
        told.recv().expect("PostgreSQL answers; see README")
    })
}

async fn make_postgres_database() -> (String, DatabaseConnection) {
    let server = postgres();
    let mut options = ConnectOptions::new(format!("{server}/postgres"));
    options.max_connections(1).min_connections(1).idle_timeout(A_DAY).max_lifetime(A_DAY);
    let administration = Database::connect(options).await.expect("PostgreSQL answers; see README");
    let name = format!("{PREFIX}{}", uuid::Uuid::new_v4().simple());
    assert!(is_mine(&administration, &name).await);
    forget_those_of_ended_programs(&administration, &name).await;
    create(&administration, &name).await;
    migrate(&format!("{server}/{name}")).await;
    // Nothing is copied while somebody is connected.
    for statement in [
        format!("ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false"),
        format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"),
    ] {
        administration.execute_unprepared(&statement).await.unwrap();
    }
    (name, administration)
}

/// PostgreSQL copies its template database and refuses while somebody else is doing the same.
pub async fn create(administration: &DatabaseConnection, database: &str) {
    for _ in 0..100 {
        if administration.execute_unprepared(&format!("CREATE DATABASE {database}")).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Takes the lock by which others see that a program with this database still runs.
async fn is_mine(administration: &DatabaseConnection, name: &str) -> bool {
    let lock = format!("SELECT pg_try_advisory_lock(hashtext('{name}')) AS mine");
    let row = administration.query_one_raw(Statement::from_string(DbBackend::Postgres, lock)).await.unwrap();
    row.unwrap().try_get("", "mine").unwrap()
}

async fn forget_those_of_ended_programs(administration: &DatabaseConnection, own: &str) {
    let all = format!("SELECT datname FROM pg_database WHERE datname LIKE '{PREFIX}%'");
    let rows = administration.query_all_raw(Statement::from_string(DbBackend::Postgres, all)).await.unwrap();
    let names = rows.iter().map(|row| row.try_get::<String>("", "datname").unwrap());
    for name in names.filter(|name| name != own) {
        if is_mine(administration, &name).await {
            let _ = administration.execute_unprepared(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        }
    }
}

async fn migrate(url: &str) {
    let clock: Arc<dyn Clock> = Arc::new(SimulatedClock::at_shanghai("2026-03-02".parse().unwrap(), 9));
    let surroundings = Surroundings { clock, randomness: Arc::new(SystemRandomness) };
    let store = Store::connect(&DatabaseSettings { url: url.to_owned(), connections: 1 }, surroundings).await.unwrap();
    store.migrate().await.unwrap();
}

/// What a test waits for must not end with the test's runtime.
fn apart<T: Send + 'static, F: Future<Output = T>>(work: impl FnOnce() -> F + Send + 'static) -> T {
    std::thread::spawn(move || runtime().block_on(work())).join().unwrap()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

//! Databases of one run's own, and their end.

use std::sync::Mutex;

use sea_orm::{ConnectionTrait, Database, DatabaseConnection};
use tempfile::TempDir;

/// Those on PostgreSQL that are still there; SQLite's go with their folder.
static MADE: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn server() -> String {
    std::env::var("QINGFENG_TEST_POSTGRES").unwrap_or("postgres://postgres@127.0.0.1:5432".into())
}

async fn administration() -> anyhow::Result<DatabaseConnection> {
    Ok(Database::connect(format!("{}/postgres", server())).await?)
}

/// An empty database. Names of tables must not tell of one engine.
pub async fn fresh_database(engine: &str, folder: &TempDir) -> anyhow::Result<String> {
    if engine == "SQLite" {
        return Ok(format!("sqlite://{}", folder.path().join(format!("{}.sqlite", uuid::Uuid::new_v4())).display()));
    }
    let name = format!("qingfeng_bench_{}", uuid::Uuid::new_v4().simple());
    administration().await?.execute_unprepared(&format!("CREATE DATABASE {name}")).await?;
    let url = format!("{}/{name}", server());
    MADE.lock().expect("nobody panics while adding a name").push(name);
    Ok(url)
}

/// Removes every database of this run, even one that somebody is still connected to.
pub async fn remove_all() -> anyhow::Result<()> {
    let made = std::mem::take(&mut *MADE.lock().expect("nobody panics while adding a name"));
    if made.is_empty() {
        return Ok(());
    }
    let administration = administration().await?;
    for name in made {
        administration.execute_unprepared(&format!("DROP DATABASE {name} WITH (FORCE)")).await?;
    }
    Ok(())
}

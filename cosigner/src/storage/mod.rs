//! The co-signer's own facts: SQLite (one file) or PostgreSQL.
//!
//! Nothing here has a time of day, an address, or a key that counts up: order and time would tell who did what.

pub mod entity;
mod schema;

use std::time::Duration;

use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseBackend, DatabaseConnection, DatabaseTransaction,
    SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use sea_orm_migration::MigratorTrait;

use crate::{config, fault::Fault};

const WAIT_FOR_CONNECTION: Duration = Duration::from_secs(15);

/// The database.
#[derive(Debug, Clone)]
pub struct Store {
    connection: DatabaseConnection,
}

impl Store {
    /// Connects and brings the schema up to date.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn open(settings: &config::Database) -> anyhow::Result<Self> {
        let sqlite = settings.url.starts_with("sqlite:");
        if let Some(path) = settings.url.strip_prefix("sqlite://")
            && let Some(folder) = std::path::Path::new(path).parent()
        {
            std::fs::create_dir_all(folder)?;
        }
        let mut options = ConnectOptions::new(&settings.url);
        options
            // One writer at a time is SQLite's nature; its queue is then ours, and fair.
            .max_connections(if sqlite { 1 } else { settings.connections.max(1) })
            .min_connections(1)
            .acquire_timeout(WAIT_FOR_CONNECTION)
            .connect_timeout(WAIT_FOR_CONNECTION)
            // Statements carry who asked for what: never in the log.
            .sqlx_logging(false);
        options.map_sqlx_sqlite_opts(|options| {
            use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
            options
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(WAIT_FOR_CONNECTION)
                // What is deleted is overwritten.
                .pragma("secure_delete", "ON")
        });
        let connection = Database::connect(options).await?;
        schema::Migrator::up(&connection, None).await?;
        Ok(Self { connection })
    }

    /// For reads outside a transaction.
    #[must_use]
    pub fn reader(&self) -> &DatabaseConnection {
        &self.connection
    }

    /// A transaction that may write.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn begin(&self) -> Result<DatabaseTransaction, Fault> {
        let options = TransactionOptions {
            isolation_level: None,
            access_mode: None,
            // Begins as a writer, so that what it reads is not overtaken by another process (the command line).
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        };
        Ok(self.connection.begin_with_options(options).await?)
    }

    /// After something was destroyed: leaves nothing of it in the files.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn compact(&self) -> Result<(), Fault> {
        if self.connection.get_database_backend() == DatabaseBackend::Sqlite {
            self.connection.execute_unprepared("VACUUM").await?;
            self.connection.execute_unprepared("PRAGMA wal_checkpoint(TRUNCATE)").await?;
        } else {
            for table in ["surveys", "box_shares", "envelopes", "results"] {
                self.connection.execute_unprepared(&format!("VACUUM FULL {table}")).await?;
            }
        }
        Ok(())
    }
}

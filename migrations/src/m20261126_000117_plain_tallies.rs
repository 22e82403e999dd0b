//! The figures of surveys and evaluations lose what their rows tell beside them: in PostgreSQL the transaction that wrote each one last,
//! which is that of somebody who took part; in both engines the order in which answers were given. Answers that come from now on leave
//! none of it.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TALLIES: [(&str, &str); 2] = [
    ("survey_tallies", "county_id, survey_id, question, choice, answers"),
    ("evaluation_tallies", "county_id, rectification_id, round, level, answers"),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// In between there are no figures.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        for (table, columns) in TALLIES {
            let (lock, empty) = if manager.get_database_backend() == DbBackend::Postgres {
                // An answer that comes at the same moment waits, and is counted. A table that is emptied at once begins a new file:
                // neither dead rows nor gaps between them stay.
                (Some(format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")), format!("TRUNCATE TABLE {table}"))
            } else {
                (None, format!("DELETE FROM {table}"))
            };
            let rewrite = [
                format!("CREATE TABLE {table}_kept AS SELECT {columns} FROM {table}"),
                empty,
                format!("INSERT INTO {table} ({columns}) SELECT {columns} FROM {table}_kept ORDER BY {columns}"),
                format!("DROP TABLE {table}_kept"),
            ];
            for statement in lock.into_iter().chain(rewrite) {
                connection.execute_unprepared(&statement).await?;
            }
        }
        Ok(())
    }
}

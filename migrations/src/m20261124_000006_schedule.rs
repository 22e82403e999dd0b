//! What the bot has scheduled so far: one row per job, so that an outage is caught up once.

use sea_orm_migration::prelude::*;

use crate::columns::{bare_table, county, date, word};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = bare_table("schedule_runs", [county(), word("job"), date("ran_for")])
            .primary_key(Index::create().col("county_id").col("job"))
            .take();
        manager.create_table(table).await
    }
}

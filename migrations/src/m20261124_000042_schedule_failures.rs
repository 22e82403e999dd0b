//! Jobs that have not come through, for whoever watches the installation.

use sea_orm_migration::prelude::*;

use crate::columns::{bare_table, county, instant, integer, word};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = bare_table("schedule_failures", [county(), word("job"), instant("since"), integer("failures")])
            .primary_key(Index::create().col("county_id").col("job"))
            .take();
        manager.create_table(table).await
    }
}

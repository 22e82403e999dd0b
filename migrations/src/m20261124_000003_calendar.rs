//! Notices of working days, version by version.

use sea_orm_migration::prelude::*;

use crate::columns::{bare_table, county, instant, integer, json};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = [county(), integer("year"), integer("version"), json("notice"), instant("imported_at")];
        let table = bare_table("calendar_notices", columns)
            .primary_key(Index::create().col("county_id").col("year").col("version"))
            .take();
        manager.create_table(table).await
    }
}

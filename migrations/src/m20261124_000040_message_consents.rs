//! How many subscribe messages a phone still accepts, per template.

use sea_orm_migration::prelude::*;

use crate::columns::{bare_table, county, instant, integer, text};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let consents = bare_table(
            "message_consents",
            [
                text("open_id"),
                text("template_id"),
                county(),
                integer("told_by_app"),
                integer("told_by_platform"),
                integer("used"),
                instant("changed_at"),
            ],
        )
        .primary_key(Index::create().col("open_id").col("template_id"))
        .take();
        manager.create_table(consents).await
    }
}

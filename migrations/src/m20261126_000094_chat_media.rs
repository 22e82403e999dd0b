//! What residents send in the chat of the official account: photos and voice notes that the platform holds until they are
//! fetched, and the recordings themselves.

use sea_orm_migration::prelude::*;

use crate::columns::{county, id, index, instant, integer, table, text, word};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let awaited = table(
            "awaited_media",
            [
                id("id"),
                county(),
                id("complaint_id"),
                id("resident_id"),
                word("kind"),
                text("reference"),
                integer("position"),
                integer("attempts"),
                instant("not_before"),
                instant("received_at"),
            ],
        );
        let recordings = table(
            "recordings",
            [
                id("id"),
                county(),
                id("complaint_id"),
                id("resident_id"),
                text("digest"),
                integer("seconds"),
                instant("taken_at"),
            ],
        );
        manager.create_table(awaited).await?;
        manager.create_table(recordings).await?;
        for index in [index("awaited_media", &["not_before"]), index("recordings", &["complaint_id", "id"])] {
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

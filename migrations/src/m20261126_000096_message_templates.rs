//! Words of a township's own for a kind of message. A version is never overwritten; the one in force is the released one.

use sea_orm_migration::prelude::*;

use crate::columns::{
    county, id, index, instant, integer, optional_id, optional_instant, optional_text, table, unique, word,
};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let templates = table(
            "message_templates",
            [
                id("id"),
                county(),
                id("township_id"),
                word("kind"),
                integer("version"),
                optional_text("text"),
                word("state"),
                id("proposed_by"),
                instant("proposed_at"),
                optional_id("decided_by"),
                optional_instant("decided_at"),
                optional_text("reason"),
                optional_text("failure"),
                optional_instant("failed_at"),
            ],
        );
        manager.create_table(templates).await?;
        for index in [
            unique("message_templates", &["township_id", "kind", "version"]),
            index("message_templates", &["state", "township_id"]),
        ] {
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

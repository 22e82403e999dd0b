//! Photos: their sizes by digest, and what they belong to.

use sea_orm_migration::prelude::*;

use crate::columns::{county, id, index, instant, integer, optional_id, table, text, word};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let files = table(
            "files",
            [
                id("id"),
                county(),
                text("list_digest"),
                text("view_digest"),
                text("print_digest"),
                integer("width"),
                integer("height"),
                // Until it belongs to something, it is its uploader's.
                optional_id("uploader_id"),
                instant("uploaded_at"),
            ],
        );
        let attachments = table(
            "attachments",
            [
                id("id"),
                county(),
                word("subject_kind"),
                id("subject_id"),
                id("file_id"),
                word("purpose"),
                integer("position"),
            ],
        );
        manager.create_table(files).await?;
        manager.create_table(attachments).await?;
        manager.create_index(index("attachments", &["subject_id", "purpose", "position"])).await?;
        manager.create_index(index("attachments", &["file_id"])).await
    }
}

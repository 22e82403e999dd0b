//! Posts that people put into ordinary chat groups by hand, and who looks after a group.

use sea_orm_migration::prelude::*;

use crate::columns::{county, id, index, instant, optional_bytes, optional_id, optional_instant, table, text, word};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let posts = table(
            "prepared_posts",
            [
                id("id"),
                county(),
                id("township_id"),
                id("village_id"),
                id("group_id"),
                id("keeper_staff_id"),
                text("text"),
                text("link"),
                optional_bytes("picture"),
                word("state"),
                instant("prepared_at"),
                optional_id("posted_by"),
                optional_instant("posted_at"),
            ],
        );
        manager.create_table(posts).await?;
        let keeper = Table::alter().table("chat_groups").add_column(optional_id("keeper_staff_id")).to_owned();
        manager.alter_table(keeper).await?;
        for index in [
            index("prepared_posts", &["township_id", "id"]),
            index("prepared_posts", &["village_id", "id"]),
            index("prepared_posts", &["keeper_staff_id", "id"]),
            index("prepared_posts", &["county_id", "state", "id"]),
        ] {
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

//! Posts that a second person lets go into a group.

use sea_orm_migration::prelude::*;

use crate::columns::{
    county, id, index, instant, json, optional_id, optional_instant, optional_text, table, text, word,
};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let reviews = table(
            "post_reviews",
            [
                id("id"),
                county(),
                id("township_id"),
                id("village_id"),
                id("group_id"),
                text("text"),
                json("findings"),
                optional_id("author_staff_id"),
                word("state"),
                optional_id("decided_by"),
                optional_text("reason"),
                instant("created_at"),
                optional_instant("decided_at"),
            ],
        );
        manager.create_table(reviews).await?;
        for index in
            [index("post_reviews", &["township_id", "state", "id"]), index("post_reviews", &["village_id", "id"])]
        {
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

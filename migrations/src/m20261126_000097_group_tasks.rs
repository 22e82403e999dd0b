//! Posts into groups of customers are tasks at WeCom until somebody taps them.

use sea_orm_migration::prelude::*;

use crate::columns::{county, id, index, instant, table, text, word};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tasks = table(
            "group_tasks",
            [
                id("id"),
                county(),
                id("township_id"),
                id("group_id"),
                id("keeper_staff_id"),
                text("sender"),
                text("platform_task"),
                word("state"),
                instant("created_at"),
                instant("look_at"),
            ],
        );
        manager.create_table(tasks).await?;
        manager.create_index(index("group_tasks", &["state", "look_at"])).await
    }
}

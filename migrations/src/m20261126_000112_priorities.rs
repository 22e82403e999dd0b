//! What cannot wait leaves first. What is in the outbox already is as urgent as any message.

use sea_orm_migration::prelude::*;

use crate::columns::{index, integer};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// `Priority::Normal`.
const NORMAL: i32 = 1;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let priority = integer("priority").default(NORMAL).take();
        manager.alter_table(Table::alter().table("outbox_messages").add_column(priority).to_owned()).await?;
        let former = Index::drop().name("outbox_messages_state_not_before_id").table("outbox_messages").to_owned();
        manager.drop_index(former).await?;
        manager.create_index(index("outbox_messages", &["state", "priority", "not_before", "id"])).await
    }
}

//! Which card a message left in, and when: what one card said is settled together when nobody knows whether it arrived, and counts as
//! one of the day on which it left.

use sea_orm_migration::prelude::*;

use crate::columns::{index, optional_id, optional_instant};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // SQLite takes one column at a time.
        for column in [optional_id("card_id"), optional_instant("left_at")] {
            manager.alter_table(Table::alter().table("outbox_messages").add_column(column).to_owned()).await?;
        }
        manager.create_index(index("outbox_messages", &["card_id"])).await
    }
}

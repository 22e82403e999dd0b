//! A post keeps that it was taken back, and any message that it may have arrived, whatever becomes of it afterwards. A task into a
//! group of customers keeps who took its post back and why, like a prepared post; a survey keeps who opened it, because a second
//! person reads what it posts.

use sea_orm_migration::prelude::*;

use crate::columns::{flag, index, optional_id, optional_instant, optional_text};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // SQLite takes one column at a time.
        for (table, column) in [
            ("outbox_messages", flag("may_have_arrived").default(false).take()),
            ("outbox_messages", optional_instant("retracted_at")),
            ("group_tasks", optional_id("retracted_by")),
            ("group_tasks", optional_text("retraction_reason")),
            ("surveys", optional_id("author_staff_id")),
        ] {
            manager.alter_table(Table::alter().table(table).add_column(column).to_owned()).await?;
        }
        let connection = manager.get_connection();
        let in_doubt = "UPDATE outbox_messages SET may_have_arrived = TRUE WHERE state = 'unknown'";
        connection.execute_unprepared(in_doubt).await?;
        // Of posts alone: the outbox is written all day, and groups get few of its messages.
        let posts = "CREATE INDEX outbox_messages_posts ON outbox_messages (township_id, id) \
                     WHERE recipient_kind = 'group'";
        connection.execute_unprepared(posts).await?;
        manager.create_index(index("surveys", &["township_id", "id"])).await
    }
}

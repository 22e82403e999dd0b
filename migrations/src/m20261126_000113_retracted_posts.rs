//! A post that is taken back while a person has it keeps who took it back, and why: if it turns out to be in its group already,
//! the correction says so.

use sea_orm_migration::prelude::*;

use crate::columns::{optional_id, optional_text};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // SQLite takes one column at a time.
        for column in [optional_id("retracted_by"), optional_text("retraction_reason")] {
            manager.alter_table(Table::alter().table("prepared_posts").add_column(column).to_owned()).await?;
        }
        Ok(())
    }
}

//! An invitation that signed a browser in still binds a phone: both uses are told apart. What was used before stays used.

use sea_orm_migration::prelude::*;

use crate::columns::optional_instant;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = optional_instant("used_in_browser_at");
        manager.alter_table(Table::alter().table("invitations").add_column(column).to_owned()).await
    }
}

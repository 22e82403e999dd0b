//! An interface's alarm is called by the account from now on: two accounts of one platform have nothing in common. Those that stand
//! under the platform alone would never be over. What is still wrong is heard again at the next call.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let of_no_account = "DELETE FROM platform_alarms WHERE interface LIKE 'wechat:%' OR interface LIKE 'wecom:%'";
        manager.get_connection().execute_unprepared(of_no_account).await?;
        Ok(())
    }
}

use sea_orm_migration::prelude::*;

use crate::columns::index;

/// Answered complaints by the time of the answer: who is still silent is asked again.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_index(index("complaints", &["county_id", "state", "answered_at"])).await?;
        manager.create_index(index("surveys", &["county_id", "state", "closes_on"])).await
    }
}

use sea_orm_migration::prelude::*;

/// Indexes that no query reads, on the tables that are written most: each act paid for them.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, index) in
            [("complaints", "complaints_merged_into_id"), ("audit_records", "audit_records_subject_id")]
        {
            manager.drop_index(Index::drop().name(index).table(table).to_owned()).await?;
        }
        Ok(())
    }
}

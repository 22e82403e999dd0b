use sea_orm_migration::prelude::*;

use crate::columns::{
    bare_table, bytes, county, date, id, index, instant, integer, optional_instant, table, text, unique, word,
};

/// Sealed reports (检举控告). Of a report there is what its office needs to find it and nothing that leads to whoever wrote it: no
/// person, no address, no time but the day from which the office's limit runs.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let keys = table(
            "report_keys",
            [
                id("id"),
                county(),
                id("office_id"),
                id("staff_id"),
                // The public half, `age1…`.
                text("recipient"),
                instant("published_at"),
                optional_instant("retired_at"),
            ],
        );
        let reports = table(
            "sealed_reports",
            [id("id"), county(), id("office_id"), bytes("lookup_digest"), date("received_on"), word("state")],
        );
        let parts =
            bare_table("sealed_report_parts", [id("report_id"), integer("number"), word("side"), bytes("sealed")])
                .primary_key(Index::create().col("report_id").col("number"))
                .take();
        for table in [keys, reports, parts] {
            manager.create_table(table).await?;
        }
        for index in [
            unique("report_keys", &["recipient"]),
            index("report_keys", &["office_id", "retired_at"]),
            unique("sealed_reports", &["lookup_digest"]),
            index("sealed_reports", &["office_id", "received_on", "id"]),
        ] {
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

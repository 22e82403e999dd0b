//! Campaigns as loaded from their plan files, and the times their duties fall due.

use sea_orm_migration::prelude::*;

use crate::columns::{
    bytes, county, date, id, index, instant, integer, json, optional_id, optional_instant, optional_json, table, text,
    unique, word,
};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let campaigns = table(
            "campaigns",
            [
                id("id"),
                county(),
                id("township_id"),
                word("key"),
                text("name"),
                date("starts_on"),
                date("ends_on"),
                json("plan"),
                // Small and read with every complaint; the plan is neither.
                json("complaint_clocks"),
                // The file as it was loaded, comments included: what the township edits.
                text("source"),
                bytes("source_digest"),
                integer("version"),
                // Up to this day its duties have been opened.
                date("duties_opened_until"),
                instant("loaded_at"),
            ],
        );
        let duties = table(
            "duty_occurrences",
            [
                id("id"),
                county(),
                id("township_id"),
                id("campaign_id"),
                word("duty_key"),
                // Which one of the series, e.g. 2026-05; of cases the case's own id.
                word("period"),
                text("title"),
                id("unit_id"),
                optional_id("staff_id"),
                date("opens_on"),
                word("state"),
                optional_id("completed_by"),
                optional_id("completed_in_post"),
                optional_instant("completed_at"),
                optional_json("evidence"),
                instant("created_at"),
            ],
        );
        manager.create_table(campaigns).await?;
        manager.create_table(duties).await?;
        for index in [
            unique("campaigns", &["township_id", "key"]),
            index("campaigns", &["township_id", "starts_on"]),
            unique("duty_occurrences", &["campaign_id", "duty_key", "period", "unit_id"]),
            index("duty_occurrences", &["township_id", "state", "id"]),
            index("duty_occurrences", &["unit_id", "state", "id"]),
            index("duty_occurrences", &["staff_id", "state", "id"]),
        ] {
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

//! Complaints, who brought them up, whom they concern, what was said and done, and how it was rated.

use sea_orm_migration::prelude::*;

use crate::columns::{
    county, flag, id, index, instant, integer, optional_bytes, optional_id, optional_instant, optional_json,
    optional_text, optional_word, table, text, unique, word,
};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in tables() {
            manager.create_table(table).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

fn tables() -> Vec<TableCreateStatement> {
    vec![
        table(
            "complaints",
            [
                id("id"),
                county(),
                id("township_id"),
                id("village_id"),
                text("number"),
                word("channel"),
                optional_word("kind"),
                word("category"),
                text("title"),
                text("body"),
                text("place"),
                word("state"),
                integer("round"),
                integer("returns"),
                optional_id("lead_unit_id"),
                optional_id("handler_id"),
                // First unit that was given it: stays answerable (首办责任).
                optional_id("first_unit_id"),
                optional_id("merged_into_id"),
                flag("closed_in_silence"),
                optional_instant("answered_at"),
                instant("registered_at"),
                instant("changed_at"),
            ],
        ),
        // Who brought it up, by phone or by paper receipt; also those whose complaints were merged into it.
        table(
            "complaint_reporters",
            [
                id("id"),
                county(),
                id("complaint_id"),
                id("origin_id"),
                optional_id("resident_id"),
                optional_bytes("receipt_digest"),
            ],
        ),
        table("complaint_units", [id("id"), county(), id("complaint_id"), id("unit_id")]),
        table(
            "complaint_entries",
            [
                id("id"),
                county(),
                id("complaint_id"),
                integer("round"),
                word("kind"),
                text("text"),
                optional_json("details"),
                optional_id("staff_id"),
                flag("visible_to_reporter"),
                instant("at"),
            ],
        ),
        table(
            "complaint_ratings",
            [
                id("id"),
                county(),
                id("complaint_id"),
                id("reporter_id"),
                integer("round"),
                word("level"),
                optional_text("comment"),
                instant("at"),
            ],
        ),
        table(
            "concerns",
            [
                id("id"),
                county(),
                word("subject_kind"),
                id("subject_id"),
                optional_id("organization_id"),
                optional_id("staff_id"),
            ],
        ),
    ]
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        unique("complaints", &["county_id", "number"]),
        index("complaints", &["county_id", "id"]),
        index("complaints", &["township_id", "id"]),
        index("complaints", &["township_id", "state", "id"]),
        index("complaints", &["lead_unit_id", "id"]),
        index("complaints", &["lead_unit_id", "state", "id"]),
        index("complaints", &["handler_id", "id"]),
        index("complaints", &["village_id", "category", "id"]),
        index("complaints", &["village_id", "lead_unit_id", "id"]),
        index("complaints", &["merged_into_id"]),
        index("complaint_reporters", &["complaint_id", "resident_id"]),
        index("complaint_reporters", &["resident_id", "complaint_id"]),
        unique("complaint_reporters", &["receipt_digest"]),
        unique("complaint_units", &["complaint_id", "unit_id"]),
        index("complaint_units", &["unit_id", "complaint_id"]),
        index("complaint_entries", &["complaint_id", "id"]),
        unique("complaint_ratings", &["complaint_id", "round", "reporter_id"]),
        index("concerns", &["subject_id", "organization_id", "staff_id"]),
    ]
}

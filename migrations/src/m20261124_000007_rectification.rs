//! Problems, the rectification items that answer them, and the residents' verdict on those.

use sea_orm_migration::prelude::*;

use crate::columns::{
    bare_table, county, flag, id, index, instant, integer, optional_date, optional_id, optional_instant, table, text,
    unique, word,
};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in problems().into_iter().chain(rectifications()).chain(evaluation()) {
            manager.create_table(table).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

fn problems() -> Vec<TableCreateStatement> {
    vec![
        table(
            "problems",
            [
                id("id"),
                county(),
                id("township_id"),
                id("village_id"),
                optional_id("campaign_id"),
                text("number"),
                word("way"),
                text("category"),
                text("title"),
                text("words"),
                flag("solved"),
                instant("recorded_at"),
            ],
        ),
        table("problem_complaints", [id("id"), county(), id("problem_id"), id("complaint_id")]),
    ]
}

fn rectifications() -> Vec<TableCreateStatement> {
    vec![
        table(
            "rectifications",
            [
                id("id"),
                county(),
                id("township_id"),
                id("village_id"),
                text("number"),
                text("title"),
                text("goal"),
                text("commitment"),
                word("pace"),
                word("state"),
                integer("round"),
                id("lead_unit_id"),
                id("responsible_staff_id"),
                optional_id("leader_staff_id"),
                optional_date("evaluation_closes_on"),
                flag("township_passed"),
                optional_instant("published_at"),
                optional_instant("closed_at"),
                instant("created_at"),
                instant("changed_at"),
            ],
        ),
        table("rectification_problems", [id("id"), county(), id("rectification_id"), id("problem_id")]),
        table("rectification_units", [id("id"), county(), id("rectification_id"), id("unit_id")]),
        table(
            "rectification_measures",
            [id("id"), county(), id("rectification_id"), integer("position"), text("text"), optional_date("done_on")],
        ),
        table(
            "rectification_entries",
            [
                id("id"),
                county(),
                id("rectification_id"),
                integer("round"),
                word("kind"),
                text("text"),
                optional_id("staff_id"),
                flag("is_public"),
                instant("at"),
            ],
        ),
    ]
}

/// Who may judge, who has, and how many said what: three tables without a column in common but the item. There is no row
/// per answer, so there is nothing that could lead from an answer to a person.
fn evaluation() -> Vec<TableCreateStatement> {
    vec![
        table("rectification_affected", [id("id"), county(), id("rectification_id"), id("resident_id")]),
        bare_table("evaluation_participation", [county(), id("rectification_id"), integer("round"), id("resident_id")])
            .primary_key(Index::create().col("rectification_id").col("round").col("resident_id"))
            .take(),
        bare_table(
            "evaluation_tallies",
            [county(), id("rectification_id"), integer("round"), word("level"), integer("answers")],
        )
        .primary_key(Index::create().col("rectification_id").col("round").col("level"))
        .take(),
    ]
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        unique("problems", &["county_id", "number"]),
        index("problems", &["township_id", "id"]),
        index("problems", &["village_id", "id"]),
        unique("problem_complaints", &["problem_id", "complaint_id"]),
        index("problem_complaints", &["complaint_id"]),
        unique("rectifications", &["county_id", "number"]),
        index("rectifications", &["township_id", "id"]),
        index("rectifications", &["village_id", "state", "id"]),
        index("rectifications", &["lead_unit_id", "id"]),
        index("rectifications", &["responsible_staff_id", "id"]),
        unique("rectification_problems", &["rectification_id", "problem_id"]),
        index("rectification_problems", &["problem_id"]),
        unique("rectification_units", &["rectification_id", "unit_id"]),
        index("rectification_units", &["unit_id"]),
        index("rectification_measures", &["rectification_id", "position"]),
        index("rectification_entries", &["rectification_id", "id"]),
        unique("rectification_affected", &["rectification_id", "resident_id"]),
        index("rectification_affected", &["resident_id"]),
    ]
}

use sea_orm_migration::prelude::*;

use crate::columns::{bare_table, county, date, id, index, instant, integer, json, table, text, word};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let surveys = table(
            "surveys",
            [
                id("id"),
                county(),
                id("township_id"),
                id("village_id"),
                text("title"),
                json("questions"),
                word("state"),
                date("closes_on"),
                instant("created_at"),
            ],
        );
        // Who took part and how many chose what: two tables without a column in common but the survey. There is no row
        // per answer, so there is nothing that could lead from an answer to a person.
        let participation = bare_table("survey_participation", [county(), id("survey_id"), id("resident_id")])
            .primary_key(Index::create().col("survey_id").col("resident_id"))
            .take();
        let tallies = bare_table(
            "survey_tallies",
            [county(), id("survey_id"), integer("question"), integer("choice"), integer("answers")],
        )
        .primary_key(Index::create().col("survey_id").col("question").col("choice"))
        .take();
        let opt_outs = bare_table("message_opt_outs", [id("resident_id"), county(), instant("since")])
            .primary_key(Index::create().col("resident_id"))
            .take();
        for table in [surveys, participation, tallies, opt_outs] {
            manager.create_table(table).await?;
        }
        manager.create_index(index("surveys", &["village_id", "state", "id"])).await
    }
}

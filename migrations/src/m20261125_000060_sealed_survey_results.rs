use sea_orm_migration::prelude::*;

use crate::columns::{
    bare_table, county, date, id, index, instant, integer, json, optional_id, optional_instant, optional_text, table,
    text, word,
};

/// Results of anonymous surveys: figures only, written once. No resident stands in any of them.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // With which questionnaire and by which rules: fixed before the first answer.
        let rules = bare_table(
            "sealed_survey_rules",
            [
                id("survey_id"),
                county(),
                json("questionnaire"),
                optional_id("campaign_id"),
                optional_text("evaluation_key"),
            ],
        )
        .primary_key(Index::create().col("survey_id"))
        .take();
        let sheets = bare_table(
            "sealed_survey_sheets",
            [
                id("survey_id"),
                county(),
                id("township_id"),
                word("purpose"),
                json("head"),
                instant("published_at"),
                optional_instant("released_at"),
            ],
        )
        .primary_key(Index::create().col("survey_id"))
        .take();
        let results = table(
            "sealed_survey_results",
            [
                id("id"),
                county(),
                id("survey_id"),
                id("township_id"),
                integer("position"),
                // Who or what, in which unit: the same in every round.
                text("subject"),
                text("questionnaire"),
                optional_id("evaluatee_staff_id"),
                optional_id("evaluatee_organization_id"),
                json("figures"),
                date("published_on"),
            ],
        );
        for table in [rules, sheets, results] {
            manager.create_table(table).await?;
        }
        for index in [
            index("sealed_survey_sheets", &["township_id", "survey_id"]),
            index("sealed_survey_results", &["survey_id", "position"]),
            index("sealed_survey_results", &["township_id", "questionnaire", "subject", "id"]),
        ] {
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

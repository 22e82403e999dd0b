//! What a campaign's plan lets the bot do by itself, and how far it was done: one row per entry, so that each time is done once
//! and an outage is caught up once. Requests to change a card at WeCom. Who
//! said of a date that it is not his. Which deputy a card reached: a day's cards are counted for who gets them.

use sea_orm_migration::prelude::*;

use crate::columns::{
    bare_table, county, id, index, instant, json, optional_date, optional_id, optional_instant, optional_text, table,
    text, unique, word,
};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let schedule = bare_table(
            "campaign_schedule",
            [county(), id("campaign_id"), word("key"), json("entry"), instant("since"), optional_instant("ran_until")],
        )
        .primary_key(Index::create().col("campaign_id").col("key"))
        .take();
        let updates = table(
            "card_updates",
            [
                id("id"),
                county(),
                text("user_id"),
                text("response_code"),
                text("words"),
                instant("not_before"),
                instant("expires_at"),
            ],
        );
        for table in [schedule, updates] {
            manager.create_table(table).await?;
        }
        for column in [optional_date("disputed_on"), optional_id("disputed_by"), optional_text("dispute_reason")] {
            manager.alter_table(Table::alter().table("deadlines").add_column(column).to_owned()).await?;
        }
        let handed_over = Table::alter().table("duty_occurrences").add_column(optional_id("handed_over_to")).to_owned();
        manager.alter_table(handed_over).await?;
        let reached = Table::alter().table("outbox_messages").add_column(optional_id("reached_id")).to_owned();
        manager.alter_table(reached).await?;
        manager.create_index(index("outbox_messages", &["reached_id", "sent_at"])).await?;
        manager.create_index(unique("card_updates", &["response_code"])).await?;
        manager.create_index(index("card_updates", &["not_before"])).await?;
        manager.create_index(index("campaigns", &["county_id", "ends_on"])).await
    }
}

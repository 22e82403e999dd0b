//! Events that platforms pushed and that are worked off later; requests that may be sent again without doubling.

use sea_orm_migration::prelude::*;

use crate::columns::{county, id, index, instant, integer, optional_id, optional_json, table, text, unique, word};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let events = table(
            "platform_events",
            [
                id("id"),
                county(),
                text("digest"),
                optional_json("event"),
                integer("attempts"),
                instant("not_before"),
                instant("received_at"),
            ],
        );
        let departures = table(
            "departures",
            [id("id"), county(), word("channel"), text("request"), instant("guarded_until"), instant("created_at")],
        );
        for table in [events, departures] {
            manager.create_table(table).await?;
        }
        let departure = Table::alter().table("outbox_messages").add_column(optional_id("departure_id")).to_owned();
        manager.alter_table(departure).await?;
        for index in [
            unique("platform_events", &["digest"]),
            index("platform_events", &["not_before"]),
            index("platform_events", &["received_at"]),
            index("departures", &["guarded_until"]),
            index("outbox_messages", &["departure_id"]),
        ] {
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

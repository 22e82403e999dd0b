//! The chat of the official account knows people by other openids than the mini-program: whose they are, and from which of
//! the accounts a photo or voice note is to be fetched.

use sea_orm_migration::prelude::*;

use crate::columns::{county, id, index, instant, optional_instant, optional_text, table, text, unique, word};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let links = table(
            "account_links",
            [
                id("id"),
                county(),
                text("app_id"),
                text("open_id"),
                // The same at all accounts of one owner, where the platform tells it.
                optional_text("union_id"),
                word("person_kind"),
                id("person_id"),
                instant("created_at"),
                optional_instant("ended_at"),
            ],
        );
        manager.create_table(links).await?;
        // A village secretary may be a resident, too: one of each.
        for index in [
            unique("account_links", &["app_id", "open_id", "person_kind"]),
            index("account_links", &["person_id"]),
            index("account_links", &["union_id"]),
            index("account_links", &["open_id"]),
        ] {
            manager.create_index(index).await?;
        }
        // None = from before there were two accounts.
        let account = Table::alter().table("awaited_media").add_column(optional_text("app_id")).to_owned();
        manager.alter_table(account).await
    }
}

//! Organizations, staff and their posts over time, residents on village rosters, logins and sessions.

use sea_orm_migration::prelude::*;

use crate::columns::{
    bare_table, bytes, county, date, flag, id, index, instant, optional_bytes, optional_date, optional_id,
    optional_instant, optional_text, table, text, unique, word,
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
            "organizations",
            [id("id"), county(), optional_id("parent_id"), word("kind"), text("name"), text("code")],
        ),
        table(
            "staff",
            [
                id("id"),
                county(),
                text("name"),
                text("login"),
                text("password_hash"),
                // Sealed with the installation's key; none until the first login enrolled an authenticator.
                optional_bytes("totp_secret_sealed"),
                // The time step of the last accepted code: a code is good for one login.
                ColumnDef::new("totp_last_step").big_integer().not_null().default(0).take(),
                optional_text("open_id"),
                optional_text("wecom_user_id"),
                flag("active"),
                instant("created_at"),
            ],
        ),
        table(
            "posts",
            [
                id("id"),
                county(),
                id("staff_id"),
                id("organization_id"),
                word("role"),
                text("title"),
                date("from_date"),
                optional_date("to_date"),
            ],
        ),
        table(
            "recusals",
            [
                id("id"),
                county(),
                id("staff_id"),
                optional_id("from_staff_id"),
                optional_id("from_organization_id"),
                text("reason"),
                instant("created_at"),
            ],
        ),
        table(
            "residents",
            [
                id("id"),
                county(),
                id("township_id"),
                id("village_id"),
                text("name"),
                // Village group or natural village, e.g. 三组.
                text("neighbourhood"),
                word("roster_group"),
                optional_id("staff_id"),
                flag("active"),
                instant("created_at"),
            ],
        ),
        bare_table("resident_logins", [text("open_id"), county(), id("resident_id"), instant("created_at")])
            .primary_key(Index::create().col("open_id"))
            .take(),
        bare_table(
            "invitations",
            [bytes("code_digest"), county(), id("resident_id"), instant("expires_at"), optional_instant("used_at")],
        )
        .primary_key(Index::create().col("code_digest"))
        .take(),
        bare_table(
            "refresh_tokens",
            [
                bytes("digest"),
                county(),
                id("session_id"),
                word("person_kind"),
                id("person_id"),
                instant("expires_at"),
                optional_instant("used_at"),
                optional_instant("revoked_at"),
            ],
        )
        .primary_key(Index::create().col("digest"))
        .take(),
    ]
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        index("organizations", &["county_id", "parent_id"]),
        unique("organizations", &["county_id", "code"]),
        unique("staff", &["login"]),
        index("posts", &["staff_id"]),
        index("posts", &["organization_id", "role"]),
        index("recusals", &["staff_id"]),
        index("residents", &["village_id", "id"]),
        index("residents", &["staff_id"]),
        index("resident_logins", &["resident_id"]),
        index("invitations", &["resident_id"]),
        index("refresh_tokens", &["session_id"]),
        index("refresh_tokens", &["person_id"]),
    ]
}

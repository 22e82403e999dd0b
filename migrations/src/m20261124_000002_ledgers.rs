//! What every part writes to: idempotency keys, the audit chain, the outbox, deadlines and their extensions.

use sea_orm_migration::prelude::*;

use crate::columns::{
    bare_table, big_integer, bytes, county, date, flag, id, index, instant, integer, json, optional_bytes,
    optional_date, optional_id, optional_instant, optional_text, optional_word, table, text, unique, word,
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
        bare_table(
            "idempotency_keys",
            [bytes("key"), county(), bytes("content"), json("answer"), instant("created_at")],
        )
        .primary_key(Index::create().col("key"))
        .take(),
        bare_table("audit_heads", [county(), integer("stripe"), big_integer("sequence"), bytes("digest")])
            .primary_key(Index::create().col("county_id").col("stripe"))
            .take(),
        bare_table(
            "audit_records",
            [
                county(),
                integer("stripe"),
                big_integer("sequence"),
                instant("at"),
                word("actor_kind"),
                optional_id("staff_id"),
                optional_id("post_id"),
                word("action"),
                word("subject_kind"),
                id("subject_id"),
                optional_bytes("before_digest"),
                optional_bytes("after_digest"),
                bytes("digest"),
            ],
        )
        .primary_key(Index::create().col("county_id").col("stripe").col("sequence"))
        .take(),
        table(
            "outbox_messages",
            [
                id("id"),
                county(),
                optional_id("township_id"),
                word("recipient_kind"),
                id("recipient_id"),
                word("kind"),
                word("subject_kind"),
                id("subject_id"),
                word("step"),
                integer("round"),
                json("facts"),
                word("state"),
                instant("not_before"),
                optional_text("lease_holder"),
                optional_instant("lease_until"),
                integer("attempts"),
                optional_text("parked_reason"),
                optional_word("channel"),
                optional_text("platform_reference"),
                optional_instant("sent_at"),
                instant("created_at"),
            ],
        ),
        table(
            "deadlines",
            [
                id("id"),
                county(),
                optional_id("township_id"),
                word("subject_kind"),
                id("subject_id"),
                text("subject_title"),
                word("kind"),
                integer("round"),
                date("start_on"),
                // The rule, so that a new calendar can work the date out again.
                json("limit"),
                // None: the calendar of that year is not published yet.
                optional_date("due_on"),
                date("original_due_on").null().take(),
                text("explanation"),
                word("status"),
                optional_date("ended_on"),
                optional_id("responsible_staff_id"),
                optional_id("responsible_unit_id"),
                integer("extensions"),
                instant("created_at"),
            ],
        ),
        table(
            "extensions",
            [
                id("id"),
                county(),
                id("deadline_id"),
                word("subject_kind"),
                id("subject_id"),
                id("requested_by"),
                optional_id("requested_in_post"),
                text("reason"),
                optional_date("old_due_on"),
                date("new_due_on"),
                word("status"),
                optional_id("decided_by"),
                optional_text("decision_reason"),
                instant("requested_at"),
                optional_instant("decided_at"),
            ],
        ),
        table(
            "deadline_changes",
            [
                id("id"),
                county(),
                id("deadline_id"),
                optional_date("old_due_on"),
                optional_date("new_due_on"),
                word("cause"),
                text("explanation"),
                instant("at"),
            ],
        ),
        table(
            "chat_groups",
            [
                id("id"),
                county(),
                id("township_id"),
                id("village_id"),
                word("platform"),
                text("name"),
                // The robot's key is a password: sealed with the installation's key.
                bytes("robot_key_sealed"),
                flag("active"),
                instant("created_at"),
            ],
        ),
    ]
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        index("idempotency_keys", &["created_at"]),
        index("audit_records", &["subject_id"]),
        unique(
            "outbox_messages",
            &["recipient_id", "subject_id", "kind", "step", "round", "recipient_kind", "subject_kind"],
        )
        .name("outbox_messages_once")
        .take(),
        index("outbox_messages", &["state", "not_before", "id"]),
        index("outbox_messages", &["recipient_id", "state"]),
        index("outbox_messages", &["township_id", "state", "id"]),
        unique("deadlines", &["subject_id", "kind", "round"]),
        index("deadlines", &["status", "due_on", "id"]),
        index("deadlines", &["responsible_staff_id", "status", "due_on", "id"]),
        index("deadlines", &["responsible_unit_id", "status", "due_on", "id"]),
        index("deadlines", &["township_id", "status", "due_on", "id"]),
        index("extensions", &["deadline_id"]),
        index("extensions", &["subject_id"]),
        index("extensions", &["status", "id"]),
        index("deadline_changes", &["deadline_id"]),
        index("chat_groups", &["village_id"]),
    ]
}

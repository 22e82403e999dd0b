//! The schema. Migrations only go forward.

use sea_orm_migration::prelude::*;

pub(super) struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(First), Box::new(SlipsApart)]
    }
}

struct First;

impl MigrationName for First {
    fn name(&self) -> &'static str {
        "m20261125_000001_cosigner"
    }
}

/// Paper slips are kept as they are published: ballot keys and tags apart, so that no line leads from the one to the other.
struct SlipsApart;

impl MigrationName for SlipsApart {
    fn name(&self) -> &'static str {
        "m20261126_000002_slips_apart"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for SlipsApart {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("paper_slips").take()).await?;
        manager.create_table(table("slips", ["sid"], [bytes("sid"), text("slips")])).await
    }
}

fn uuid(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).uuid().not_null().take()
}

fn text(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).text().not_null().take()
}

fn word(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).string().not_null().take()
}

fn bytes(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).binary().not_null().take()
}

fn integer(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).integer().not_null().take()
}

fn big_integer(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().not_null().take()
}

fn date(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).date().not_null().take()
}

fn optional(mut column: ColumnDef) -> ColumnDef {
    column.null().take()
}

/// A table with its primary key.
fn table<const KEYS: usize>(
    name: &'static str,
    key: [&'static str; KEYS],
    columns: impl IntoIterator<Item = ColumnDef>,
) -> TableCreateStatement {
    let mut table = Table::create();
    table.table(name);
    for mut column in columns {
        table.col(&mut column);
    }
    let mut primary = Index::create();
    for column in key {
        primary.col(column);
    }
    table.primary_key(&mut primary).take()
}

fn unique(name: &'static str, table: &'static str, column: &'static str) -> IndexCreateStatement {
    Index::create().name(name).table(table).col(column).unique().take()
}

#[async_trait::async_trait]
impl MigrationTrait for First {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for statement in tables() {
            manager.create_table(statement).await?;
        }
        for (name, table, column) in [
            ("people_card_hash", "people", "card_hash"),
            ("people_device", "people", "device"),
            ("surveys_origin", "surveys", "origin"),
        ] {
            manager.create_index(unique(name, table, column)).await?;
        }
        manager.create_index(Index::create().name("people_village").table("people").col("village").take()).await
    }
}

fn tables() -> Vec<TableCreateStatement> {
    vec![
        // 名册: its own copy, with cards and enrolled phones.
        table(
            "people",
            ["resident"],
            [
                uuid("resident"),
                uuid("village"),
                text("village_name"),
                text("name"),
                optional(bytes("card_hash")),
                optional(bytes("commitment")),
                optional(bytes("device")),
            ],
        ),
        table("memberships", ["resident", "class"], [uuid("resident"), word("class")]),
        // One row per ballot box.
        table(
            "surveys",
            ["sid"],
            [
                bytes("sid"),
                word("origin"),
                bytes("proposal"),
                text("manifest"),
                word("state"),
                optional(bytes("signer_sealed")),
                optional(bytes("box_key_sealed")),
                optional(big_integer("closed_size")),
                optional(text("issued_a")),
                optional(text("issued_b")),
                optional(text("voided")),
                optional(date("published_on")),
                optional(date("wiped_on")),
            ],
        ),
        table("survey_roll", ["sid", "resident"], [bytes("sid"), uuid("resident"), bytes("leaf"), word("channel")]),
        table("cosignings", ["sid", "resident"], [bytes("sid"), uuid("resident"), bytes("req_hash"), date("day")]),
        table("log_leaves", ["sid", "idx"], [bytes("sid"), big_integer("idx"), bytes("leaf")]),
        table("log_checkpoints", ["sid", "size"], [bytes("sid"), big_integer("size"), text("note")]),
        table("box_shares", ["sid", "number"], [bytes("sid"), integer("number"), bytes("share_sealed")]),
        table("paper_slips", ["sid", "pk"], [bytes("sid"), bytes("pk"), text("slip")]),
        table("envelopes", ["sid", "hash"], [bytes("sid"), bytes("hash"), bytes("envelope")]),
        table("results", ["sid"], [bytes("sid"), text("result")]),
        // 记录: what people did with keys, counts and cards; by day.
        table(
            "minutes",
            ["number"],
            [integer("number"), date("day"), word("kind"), optional(bytes("sid")), text("content"), text("observers")],
        ),
    ]
}

use sea_orm_migration::prelude::*;

use crate::columns::{
    bare_table, big_integer, bytes, county, date, flag, id, index, instant, integer, json, optional_bytes,
    optional_date, optional_id, optional_instant, optional_integer, optional_json, optional_text, optional_word, table,
    text, unique, word,
};

/// Anonymous surveys (survey protocol §6). What stands in the box's tables is all that may stand there: no person, no time,
/// no address, no number that grows with time, no county either; and nothing leads from the roll into the box.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in
            [sealed_surveys(), ballot_boxes(), survey_devices()].into_iter().chain(of_the_roll()).chain(of_the_box())
        {
            manager.create_table(table).await?;
        }
        let indexes = [
            index("sealed_surveys", &["township_id", "id"]),
            index("ballot_boxes", &["survey_id", "sid"]),
            index("ballot_boxes", &["state", "sid"]),
            unique("survey_devices", &["device"]),
            index("box_roll", &["resident_id", "sid"]),
            unique("box_entries", &["sid", "tag", "seq"]),
            index("box_entries", &["sid", "batch_no", "env_hash"]),
        ];
        for index in indexes {
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

fn sealed_surveys() -> TableCreateStatement {
    table(
        "sealed_surveys",
        [
            id("id"),
            county(),
            id("township_id"),
            text("title"),
            // Which questionnaire it is, e.g. of a village committee's yearly review.
            word("kind"),
            word("purpose"),
            json("questions"),
            integer("min_level"),
            date("issue_from"),
            date("issue_until"),
            date("cast_until"),
            // Paper slips made for each box.
            integer("paper"),
            // Groups that are too small to be asked without being recognized.
            json("not_held"),
            instant("created_at"),
        ],
    )
}

fn ballot_boxes() -> TableCreateStatement {
    bare_table(
        "ballot_boxes",
        [
            id("sid"),
            county(),
            id("survey_id"),
            id("township_id"),
            // The village, or the township where several villages share a box.
            id("unit_id"),
            json("village_ids"),
            text("unit_name"),
            word("class"),
            text("title"),
            optional_text("evaluatee"),
            optional_id("evaluatee_staff_id"),
            optional_id("evaluatee_organization_id"),
            integer("eligible"),
            word("state"),
            // What keeps it from going on.
            optional_word("trouble"),
            flag("single_operator"),
            // Canonical spelling: its hash is the first leaf of the log.
            optional_text("manifest"),
            optional_bytes("key_a_sealed"),
            optional_bytes("key_d_sealed"),
            integer("batches"),
            optional_instant("flushed_at"),
            flag("handed_over"),
            optional_json("slip_account"),
            optional_date("published_on"),
        ],
    )
    .primary_key(Index::create().col("sid"))
    .take()
}

fn survey_devices() -> TableCreateStatement {
    bare_table("survey_devices", [id("resident_id"), county(), optional_bytes("device"), bytes("commitment")])
        .primary_key(Index::create().col("resident_id"))
        .take()
}

/// Who may answer, and who has the right to: never what.
fn of_the_roll() -> [TableCreateStatement; 2] {
    let roll = bare_table("box_roll", [id("sid"), id("resident_id"), bytes("leaf"), word("channel")])
        .primary_key(Index::create().col("sid").col("resident_id"))
        .take();
    let issuance = bare_table("box_issuance", [id("sid"), id("resident_id"), bytes("req_hash"), date("day")])
        .primary_key(Index::create().col("sid").col("resident_id"))
        .take();
    [roll, issuance]
}

/// What is in the box, its log, and what came out of it: never who.
fn of_the_box() -> [TableCreateStatement; 5] {
    let entries = bare_table(
        "box_entries",
        [bytes("env_hash"), id("sid"), bytes("tag"), integer("seq"), bytes("outer"), optional_integer("batch_no")],
    )
    .primary_key(Index::create().col("env_hash"))
    .take();
    let log = bare_table("box_log", [id("sid"), big_integer("idx"), text("leaf")])
        .primary_key(Index::create().col("sid").col("idx"))
        .take();
    let checkpoints = bare_table("box_checkpoints", [id("sid"), big_integer("size"), text("note")])
        .primary_key(Index::create().col("sid").col("size"))
        .take();
    // Loaded once, from the sorted file, in one transaction: the order of arrival is nobody's.
    let rows = bare_table("ballot_rows", [id("sid"), bytes("row_hash"), text("row")])
        .primary_key(Index::create().col("sid").col("row_hash"))
        .take();
    let files = bare_table("box_files", [id("sid"), word("name"), bytes("content")])
        .primary_key(Index::create().col("sid").col("name"))
        .take();
    [entries, log, checkpoints, rows, files]
}

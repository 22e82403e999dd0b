//! What the tables of anonymous surveys (survey protocol §6) and of sealed reports must not hold, read from the databases themselves.

use qingfeng_core::storage::Engine;
use rstest::rstest;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};

use crate::engines::store;

/// Sealed envelopes, log, and what came out of the box.
const OF_THE_BOX: [(&str, &[&str]); 5] = [
    ("ballot_rows", &["row", "row_hash", "sid"]),
    ("box_checkpoints", &["note", "sid", "size"]),
    ("box_entries", &["batch_no", "env_hash", "outer", "seq", "sid", "tag"]),
    ("box_files", &["content", "name", "sid"]),
    ("box_log", &["idx", "leaf", "sid"]),
];
/// Who may answer, and who has the right to.
const OF_THE_ROLL: [(&str, &[&str]); 3] = [
    ("box_issuance", &["day", "req_hash", "resident_id", "sid"]),
    ("box_roll", &["channel", "leaf", "resident_id", "sid"]),
    ("survey_devices", &["commitment", "county_id", "device", "resident_id"]),
];
/// Sealed reports: of a report its office, its state and the day from which a limit runs.
const OF_REPORTS: [(&str, &[&str]); 2] = [
    ("sealed_report_parts", &["number", "report_id", "sealed", "side"]),
    ("sealed_reports", &["county_id", "id", "lookup_digest", "office_id", "received_on", "state"]),
];
/// Words in a column's name that would betray a person, a time or an order.
const BETRAYING: [&str; 17] = [
    "resident", "staff", "person", "openid", "open_id", "session", "address", "ip", "agent", "device", "phone",
    "created", "updated", "_at", "time", "serial", "county",
];

/// A column's name, type and default.
type Column = (String, String, Option<String>);

async fn columns(connection: &DatabaseConnection, table: &str) -> Vec<Column> {
    let (sql, names) = match connection.get_database_backend() {
        DbBackend::Postgres => (
            "SELECT column_name::text, data_type::text, column_default::text FROM information_schema.columns \
             WHERE table_name = $1 ORDER BY column_name",
            ["column_name", "data_type", "column_default"],
        ),
        _ => ("SELECT name, type, dflt_value FROM pragma_table_info($1) ORDER BY name", ["name", "type", "dflt_value"]),
    };
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, [table.into()]);
    let rows = connection.query_all_raw(statement).await.unwrap();
    let column = |row: &sea_orm::QueryResult| {
        (
            row.try_get("", names[0]).unwrap(),
            row.try_get::<String>("", names[1]).unwrap().to_lowercase(),
            row.try_get("", names[2]).unwrap(),
        )
    };
    rows.iter().map(column).collect()
}

async fn foreign_keys(connection: &DatabaseConnection, table: &str) -> i64 {
    let sql = match connection.get_database_backend() {
        DbBackend::Postgres => {
            "SELECT count(*) AS found FROM pg_constraint WHERE contype = 'f' AND $1::regclass IN (conrelid, confrelid)"
        }
        _ => {
            "SELECT count(*) AS found FROM sqlite_master AS made JOIN pragma_foreign_key_list(made.name) AS leads \
             WHERE made.type = 'table' AND $1 IN (made.name, leads.\"table\")"
        }
    };
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, [table.into()]);
    connection.query_one_raw(statement).await.unwrap().unwrap().try_get("", "found").unwrap()
}

fn betrays(column: &Column) -> bool {
    let (name, kind, default) = column;
    let timed = ["timestamp", "datetime", "date", "time"].iter().any(|word| kind.contains(word));
    BETRAYING.iter().any(|word| name.split('_').any(|part| part == *word) || (word.len() > 2 && name.contains(word)))
        || timed
        || default.is_some()
}

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn the_boxs_tables_hold_no_person_no_time_and_no_order(#[case] engine: Engine) {
    let fixture = store(engine).await;
    let connection = fixture.store.reader();
    for (table, expected) in OF_THE_BOX {
        let columns = columns(connection, table).await;
        let names: Vec<_> = columns.iter().map(|(name, ..)| name.as_str()).collect();
        assert_eq!(names, expected, "{table}");
        let betraying: Vec<_> = columns.iter().filter(|column| betrays(column)).collect();
        assert!(betraying.is_empty(), "{table}: {betraying:?}");
    }
}

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn the_rolls_tables_hold_nothing_of_the_box_and_no_time_of_day(#[case] engine: Engine) {
    let fixture = store(engine).await;
    let connection = fixture.store.reader();
    for (table, expected) in OF_THE_ROLL {
        let columns = columns(connection, table).await;
        let names: Vec<_> = columns.iter().map(|(name, ..)| name.as_str()).collect();
        assert_eq!(names, expected, "{table}");
        let exact = columns.iter().filter(|(_, kind, default)| kind.contains("timestamp") || default.is_some());
        assert_eq!(exact.count(), 0, "{table}: {columns:?}");
    }
}

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn the_tables_of_reports_hold_no_person_and_no_time_but_the_day(#[case] engine: Engine) {
    let fixture = store(engine).await;
    for (table, expected) in OF_REPORTS {
        let columns = columns(fixture.store.reader(), table).await;
        let names: Vec<_> = columns.iter().map(|(name, ..)| name.as_str()).collect();
        assert_eq!(names, expected, "{table}");
        // The office tells the county.
        let known = ["received_on", "county_id"];
        let betraying: Vec<_> =
            columns.iter().filter(|column| betrays(column) && !known.contains(&&*column.0)).collect();
        assert!(betraying.is_empty(), "{table}: {betraying:?}");
        let exact = columns.iter().filter(|(_, kind, _)| kind.contains("timestamp"));
        assert_eq!(exact.count(), 0, "{table}: {columns:?}");
    }
}

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn no_key_leads_from_or_to_these_tables(#[case] engine: Engine) {
    let fixture = store(engine).await;
    for (table, _) in OF_THE_BOX.iter().chain(&OF_THE_ROLL).chain(&OF_REPORTS) {
        assert_eq!(foreign_keys(fixture.store.reader(), table).await, 0, "{table}");
    }
}

/// A detector that never fires is no test.
#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn what_would_betray_somebody_is_found(#[case] engine: Engine) {
    let fixture = store(engine).await;
    let connection = fixture.store.reader();
    connection
        .execute_unprepared(
            "CREATE TABLE betraying (plain integer, resident_id integer, ip text, cast_on date, kept_at timestamp, \
             order_no integer DEFAULT 7, leads integer REFERENCES betrayed (id))"
                .replace("CREATE", "CREATE TABLE betrayed (id integer PRIMARY KEY); CREATE")
                .as_str(),
        )
        .await
        .unwrap();
    let found: Vec<_> =
        columns(connection, "betraying").await.into_iter().filter(betrays).map(|(name, ..)| name).collect();
    assert_eq!(found, ["cast_on", "ip", "kept_at", "order_no", "resident_id"]);
    assert_eq!(foreign_keys(connection, "betraying").await, 1);
    assert_eq!(foreign_keys(connection, "betrayed").await, 1);
}

//! §6 of the protocol, as a lint: what must not stand in a table, and that no path leads from residents to envelopes.

use qingfeng_cosigner::storage::Store;
use rstest::rstest;
use sea_orm::{ConnectionTrait, Statement};

use crate::support::{County, Engine};

async fn rows(store: &Store, query: &str) -> Vec<sea_orm::QueryResult> {
    let reader = store.reader();
    reader.query_all_raw(Statement::from_string(reader.get_database_backend(), query)).await.unwrap()
}

/// Table, column, type, default.
async fn columns(store: &Store, engine: Engine) -> Vec<(String, String, String, String)> {
    let query = match engine {
        Engine::Sqlite => {
            "SELECT m.name AS t, p.name AS c, lower(p.type) AS k, coalesce(p.dflt_value, '') AS d \
             FROM sqlite_master m JOIN pragma_table_info(m.name) p WHERE m.type = 'table'"
        }
        Engine::Postgres => {
            "SELECT table_name::text AS t, column_name::text AS c, data_type::text AS k, coalesce(column_default, '')::text AS d \
             FROM information_schema.columns WHERE table_schema = 'public'"
        }
    };
    let text = |row: &sea_orm::QueryResult, name: &str| row.try_get::<String>("", name).unwrap();
    rows(store, query)
        .await
        .iter()
        .map(|row| (text(row, "t"), text(row, "c"), text(row, "k"), text(row, "d")))
        .filter(|(table, ..)| table != "seaql_migrations" && !table.starts_with("sqlite_"))
        .collect()
}

#[rstest]
#[actix_web::test]
async fn the_tables_hold_nothing_that_the_protocol_forbids(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let county = County::start(engine).await;
    let store = &county.cosigner.authority.store;
    let columns = columns(store, engine).await;
    let of = |table: &str| -> Vec<&str> {
        columns.iter().filter(|(name, ..)| name == table).map(|(_, column, ..)| column.as_str()).collect()
    };
    let exactly = |table: &str, expected: &[&str]| {
        let mut held = of(table);
        held.sort_unstable();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(held, expected, "{table}");
    };
    exactly("cosignings", &["sid", "resident", "req_hash", "day"]);
    exactly("survey_roll", &["sid", "resident", "leaf", "channel"]);
    exactly("envelopes", &["sid", "hash", "envelope"]);
    exactly("results", &["sid", "result"]);
    exactly("log_leaves", &["sid", "idx", "leaf"]);
    exactly("log_checkpoints", &["sid", "size", "note"]);

    for (table, column, kind, default) in &columns {
        assert_eq!(default, "", "{table}.{column} fills itself: order or time could be read from it");
        assert!(!kind.contains("time"), "{table}.{column} keeps a time of day");
        for forbidden in ["created", "updated", "_at", "openid", "open_id", "user_agent", "address", "session"] {
            assert!(!column.contains(forbidden), "{table}.{column}");
        }
        assert!(!matches!(column.as_str(), "id" | "ip" | "ua" | "serial"), "{table}.{column}");
    }
    let residents: Vec<_> =
        columns.iter().filter(|(_, column, ..)| column == "resident").map(|(table, ..)| table.as_str()).collect();
    for sealed in ["envelopes", "results", "log_leaves", "log_checkpoints", "slips", "box_shares", "minutes"] {
        assert!(!residents.contains(&sealed), "{sealed} names residents");
    }
    assert_eq!(of("people").len(), 7);
}

#[rstest]
#[actix_web::test]
async fn no_foreign_key_leads_anywhere(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let county = County::start(engine).await;
    let query = match engine {
        Engine::Sqlite => "SELECT m.name FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f",
        Engine::Postgres => "SELECT conname FROM pg_constraint WHERE contype = 'f'",
    };
    assert_eq!(rows(&county.cosigner.authority.store, query).await.len(), 0);
}

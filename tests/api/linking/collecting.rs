//! What somebody carries off who has everything but the box key: every row of both databases in its physical order, the
//! write-ahead logs, Redis, all files and logs of all programs, what they keep beside their data.

use std::{collections::BTreeMap, fs, path::Path};

use qingfeng_core::storage::Engine;
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, FromQueryResult, Statement};
use serde_json::Value;

use crate::support::Programs;

/// One row as it lies in its table.
#[derive(Clone, Debug)]
pub struct Row {
    /// `platform/box_entries`.
    pub table: String,
    /// Where it lies among its table's rows.
    pub place: u64,
    /// Cells in lower case; bytes in hexadecimal.
    pub cells: BTreeMap<String, String>,
}

impl Row {
    pub fn text(&self) -> String {
        self.cells.values().map(String::as_str).collect::<Vec<_>>().join("\n")
    }
}

/// Everything.
#[derive(Clone, Default)]
pub struct Dump {
    pub rows: Vec<Row>,
    /// Entries of logs and of Redis: what stands together belongs together.
    pub entries: Vec<(String, String)>,
    /// Raw bytes: files, heaps with what was deleted, write-ahead logs.
    pub bytes: Vec<(String, Vec<u8>)>,
}

impl Dump {
    /// `since` is where PostgreSQL's write-ahead log stood before.
    pub async fn of(programs: &Programs, since: &str) -> Self {
        let mut dump = Self::default();
        let urls =
            [("platform", &programs.server.application.config.database.url), ("cosigner", &cosigner_url(programs))];
        for (party, url) in urls {
            dump.database(party, url).await;
        }
        if let Some(redis) = &programs.redis {
            let own = &programs.server.application.config.database.url;
            dump.write_ahead_log(own, since).await;
            dump.redis(&redis.url).await;
        } else {
            let facts = programs.server.application.config.database.url.strip_prefix("sqlite://").unwrap();
            dump.files(Path::new(facts).parent().unwrap());
        }
        dump.files(programs.folder.path());
        dump
    }

    async fn database(&mut self, party: &str, url: &str) {
        let connection = Database::connect(url).await.unwrap();
        let postgres = connection.get_database_backend() == DbBackend::Postgres;
        let tables = if postgres {
            "SELECT tablename AS word FROM pg_tables WHERE schemaname = 'public'"
        } else {
            "SELECT name AS word FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        };
        for table in words(&connection, tables).await {
            let found = if postgres {
                postgres_rows(&connection, &table).await
            } else {
                sqlite_rows(&connection, &table).await
            };
            for (place, line) in found {
                let cells: serde_json::Map<String, Value> = serde_json::from_str(&line).unwrap();
                let cell = |(name, value): (String, Value)| {
                    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    (name, readable(text.trim_start_matches("\\x")).to_lowercase())
                };
                let cells = cells.into_iter().map(cell).collect();
                self.rows.push(Row { table: format!("{party}/{table}"), place, cells });
            }
        }
        if postgres {
            self.heaps(party, &connection).await;
        }
        connection.close().await.unwrap();
    }

    /// The files of all tables and indexes, with what was deleted or overwritten and not yet cleaned up.
    async fn heaps(&mut self, party: &str, connection: &DatabaseConnection) {
        connection.execute_unprepared("CHECKPOINT").await.unwrap();
        let relations = "SELECT relname::text AS word FROM pg_class WHERE relkind IN ('r', 'i', 't') \
                         AND relnamespace IN ('public'::regnamespace, 'pg_toast'::regnamespace) AND oid >= 16384";
        for relation in words(connection, relations).await {
            let sql = format!(
                "SELECT pg_read_binary_file(pg_relation_filepath(oid)) AS bytes FROM pg_class WHERE relname = '{relation}'"
            );
            self.bytes.push((format!("{party}/heap of {relation}"), bytes(connection, &sql).await));
        }
    }

    /// What was written since then. Segments are used again: behind the end stands what somebody wrote long ago.
    async fn write_ahead_log(&mut self, url: &str, since: &str) {
        let connection = Database::connect(url).await.unwrap();
        let until = words(&connection, "SELECT pg_current_wal_flush_lsn()::text AS word").await.remove(0);
        let (first, from) = place(&connection, since).await;
        let (last, to) = place(&connection, &until).await;
        let segments =
            format!("SELECT name AS word FROM pg_ls_waldir() WHERE name BETWEEN '{first}' AND '{last}' ORDER BY name");
        for segment in words(&connection, &segments).await {
            let mut written =
                bytes(&connection, &format!("SELECT pg_read_binary_file('pg_wal/{segment}') AS bytes")).await;
            if segment == last {
                written.truncate(to);
            }
            if segment == first {
                written.drain(..from.min(written.len()));
            }
            self.bytes.push((format!("write-ahead log {segment}"), written));
        }
        connection.close().await.unwrap();
    }

    async fn redis(&mut self, url: &str) {
        let mut connection = redis::Client::open(url).unwrap().get_multiplexed_async_connection().await.unwrap();
        let mut cursor = 0_u64;
        loop {
            let (next, keys): (u64, Vec<Vec<u8>>) =
                redis::cmd("SCAN").arg(cursor).query_async(&mut connection).await.unwrap();
            for key in keys {
                let value: Vec<u8> = redis::cmd("DUMP").arg(&key).query_async(&mut connection).await.unwrap();
                let key = String::from_utf8_lossy(&key).into_owned();
                self.entries.push((format!("redis {key}"), format!("{key}\n{}", String::from_utf8_lossy(&value))));
                self.bytes.push((format!("redis {key}"), value));
            }
            cursor = next;
            if cursor == 0 {
                break;
            }
        }
    }

    fn files(&mut self, folder: &Path) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                self.files(&path);
                continue;
            }
            let Ok(content) = fs::read(&path) else { continue };
            let name = path.display().to_string();
            if ["stdout", "stderr", "redis.log"].iter().any(|log| path.ends_with(log)) {
                let lines = String::from_utf8_lossy(&content).into_owned();
                self.entries.extend(lines.lines().map(|line| (name.clone(), line.to_lowercase())));
            }
            self.bytes.push((name, content));
        }
    }
}

/// The segment in which a position of the write-ahead log lies, and where there.
async fn place(connection: &DatabaseConnection, position: &str) -> (String, usize) {
    let place = format!("SELECT file_name || ' ' || file_offset AS word FROM pg_walfile_name_offset('{position}')");
    let place = words(connection, &place).await.remove(0);
    let (segment, offset) = place.split_once(' ').unwrap();
    (segment.to_owned(), offset.parse().unwrap())
}

fn cosigner_url(programs: &Programs) -> String {
    match programs.cosigner_database.url.strip_prefix("sqlite://") {
        Some(_) => {
            format!("sqlite://{}", programs.folder.path().join("cosigner/data-cosigner/cosigner.sqlite").display())
        }
        None => programs.cosigner_database.url.clone(),
    }
}

/// Where PostgreSQL's write-ahead log stands.
pub async fn write_ahead_position(programs: &Programs) -> String {
    let store = &programs.server.application.store;
    if store.engine() == Engine::Sqlite {
        return String::new();
    }
    words(store.reader(), "SELECT pg_current_wal_lsn()::text AS word").await.remove(0)
}

/// Rows in the order of the heap.
async fn postgres_rows(connection: &DatabaseConnection, table: &str) -> Vec<(u64, String)> {
    // No column is called like this.
    let row = "this_very_row";
    let sql = format!(
        "SELECT ctid::text || ' ' || (to_jsonb({row}) || jsonb_build_object('xmin', {row}.xmin::text))::text AS word \
         FROM \"{table}\" AS {row}"
    );
    let place = |line: String| {
        let (place, cells) = line.split_once(' ').unwrap();
        let (page, item) = place.trim_matches(['(', ')']).split_once(',').unwrap();
        (page.parse::<u64>().unwrap() << 16 | item.parse::<u64>().unwrap(), cells.to_owned())
    };
    words(connection, &sql).await.into_iter().map(place).collect()
}

/// Rows in the order of their hidden numbers.
async fn sqlite_rows(connection: &DatabaseConnection, table: &str) -> Vec<(u64, String)> {
    let columns = words(connection, &format!("SELECT name AS word FROM pragma_table_info('{table}')")).await;
    let pairs: Vec<_> = columns
        .iter()
        .map(|name| format!("'{name}', CASE typeof(\"{name}\") WHEN 'blob' THEN hex(\"{name}\") ELSE \"{name}\" END"))
        .collect();
    let sql = format!("SELECT rowid || ' ' || json_object({}) AS word FROM \"{table}\"", pairs.join(", "));
    let place = |line: String| {
        let (place, cells) = line.split_once(' ').unwrap();
        (place.parse().unwrap(), cells.to_owned())
    };
    words(connection, &sql).await.into_iter().map(place).collect()
}

/// Bytes that are text are read as text.
fn readable(cell: &str) -> String {
    let text = hex::decode(cell).ok().filter(|bytes| !bytes.is_empty()).and_then(|bytes| String::from_utf8(bytes).ok());
    let text = text.filter(|text| text.chars().all(|character| !character.is_control() || character == '\n'));
    text.unwrap_or_else(|| cell.to_owned())
}

#[derive(FromQueryResult)]
struct Word {
    word: String,
}

async fn words(connection: &DatabaseConnection, sql: &str) -> Vec<String> {
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let found = Word::find_by_statement(statement).all(connection).await;
    found.unwrap_or_else(|error| panic!("{sql}: {error}")).into_iter().map(|row| row.word).collect()
}

async fn bytes(connection: &DatabaseConnection, sql: &str) -> Vec<u8> {
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let row = connection.query_one_raw(statement).await.unwrap();
    // Of a relation without storage there is nothing to read.
    row.and_then(|row| row.try_get::<Option<Vec<u8>>>("", "bytes").unwrap()).unwrap_or_default()
}

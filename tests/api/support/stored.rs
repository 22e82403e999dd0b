use sea_orm::{ConnectionTrait, DbBackend, Statement};

use super::TestServer;

/// Whether the text stands anywhere in the database, be it as text or as bytes.
pub async fn is_stored(server: &TestServer, text: &str) -> bool {
    let connection = server.application.store.reader();
    let backend = connection.get_database_backend();
    let query = |sql: String| connection.query_all_raw(Statement::from_string(backend, sql));
    let is_sqlite = backend == DbBackend::Sqlite;
    let columns = if is_sqlite {
        "SELECT m.name AS place, c.name AS field FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'"
    } else {
        "SELECT table_name AS place, column_name AS field FROM information_schema.columns WHERE table_schema = 'public'"
    };
    let (encoded, bytes) = (hex::encode_upper(text), hex::encode(text));
    for column in query(columns.into()).await.unwrap() {
        let (place, field): (String, String) =
            (column.try_get("", "place").unwrap(), column.try_get("", "field").unwrap());
        let value = if is_sqlite { format!("quote(\"{field}\")") } else { format!("\"{field}\"::text") };
        let sql = format!(
            "SELECT 1 AS found FROM \"{place}\" WHERE {value} LIKE '%{text}%' OR {value} LIKE '%{encoded}%' OR {value} LIKE '%{bytes}%'"
        );
        if !query(sql).await.unwrap().is_empty() {
            return true;
        }
    }
    false
}

//! Several writes in one round trip: PostgreSQL takes them as the parts of one statement, SQLite as a script.

use std::fmt::Write as _;

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement, Value};

use crate::audit::{chain, records};

/// A write that nobody waits for.
pub(super) struct Write {
    pub(super) statement: Statement,
    /// It was decided on what was seen before the command: when it meets no row, the whole command comes to nothing.
    pub(super) must_hold: bool,
}

#[derive(Default)]
pub(super) struct Pending {
    pub(super) writes: Vec<Write>,
    pub(super) records: Vec<records::Model>,
}

impl Pending {
    pub(super) fn is_empty(&self) -> bool {
        self.writes.is_empty() && self.records.is_empty()
    }

    /// PostgreSQL takes it as one statement, which is a transaction of its own and moves the head of one chain.
    pub(super) fn fits_one_statement(&self) -> bool {
        self.records.len() <= 1
    }
}

/// Writes in the transaction of `connection`.
pub(super) async fn write(connection: &impl ConnectionTrait, pending: Pending) -> Result<(), DbErr> {
    if pending.is_empty() {
        return Ok(());
    }
    if connection.get_database_backend() == DbBackend::Sqlite {
        return write_one_by_one(connection, pending).await;
    }
    let mut records = pending.records.into_iter();
    connection.execute_raw(one_statement(pending.writes, records.next())).await?;
    for record in records {
        connection.execute_raw(one_statement(Vec::new(), Some(record))).await?;
    }
    Ok(())
}

async fn write_one_by_one(connection: &impl ConnectionTrait, pending: Pending) -> Result<(), DbErr> {
    for writes in pending.writes.chunk_by(|one, next| !one.must_hold && !next.must_hold) {
        let met = connection.execute_raw(script(writes)).await?.rows_affected();
        if writes[0].must_hold && met == 0 {
            return Err(DbErr::RecordNotUpdated);
        }
    }
    for record in &pending.records {
        chain::append(connection, record).await?;
    }
    Ok(())
}

/// SQLite binds the values to the script's statements in their order.
fn script(writes: &[Write]) -> Statement {
    let mut sql = String::new();
    let mut values = Vec::new();
    for Write { statement, .. } in writes {
        sql.push_str(&statement.sql);
        sql.push(';');
        values.extend(statement.values.iter().flat_map(|values| values.0.iter().cloned()));
    }
    Statement::from_sql_and_values(DbBackend::Sqlite, sql, values)
}

/// All writes as parts of one statement, the audit chain's head last: whoever waits for a row of another command must not
/// hold the chain meanwhile.
fn one_statement(writes: Vec<Write>, record: Option<records::Model>) -> Statement {
    let (link, mut values) = match record {
        Some(record) => chain::link_after("done", record),
        None => (" SELECT written FROM done".to_owned(), Vec::new()),
    };
    let mut parts = String::from("WITH ");
    let mut written = String::from("0");
    for (place, write) in writes.into_iter().enumerate() {
        let part = with_placeholders_from(&write.statement.sql, values.len());
        // A part that met no row divides by nothing, which undoes the statement.
        let divided = if write.must_hold { "1 / " } else { "" };
        let _ = write!(parts, "part_{place} AS ({part} RETURNING 1), ");
        let _ = write!(written, " + {divided}(SELECT count(*) FROM part_{place})");
        values.extend(write.statement.values.into_iter().flat_map(|values| values.0));
    }
    let _ = write!(parts, "done AS (SELECT {written} AS written)");
    Statement::from_sql_and_values(DbBackend::Postgres, format!("{parts}{link}"), values)
}

/// Shifts `$1, $2, …` so that several statements share one list of values. Names and literals in quotes stay.
fn with_placeholders_from(sql: &str, offset: usize) -> String {
    let mut shifted = String::with_capacity(sql.len() + 16);
    let mut rest = sql;
    while let Some(place) = rest.find(['"', '\'', '$']) {
        let mark = &rest[place..=place];
        let after = &rest[place + 1..];
        shifted.push_str(&rest[..=place]);
        if mark == "$" {
            let digits = after.find(|next: char| !next.is_ascii_digit()).unwrap_or(after.len());
            let number: usize = after[..digits].parse().unwrap_or_default();
            let _ = write!(shifted, "{}", number + offset);
            rest = &after[digits..];
        } else {
            let end = after.find(mark).map_or(after.len(), |end| end + 1);
            shifted.push_str(&after[..end]);
            rest = &after[end..];
        }
    }
    shifted.push_str(rest);
    shifted
}

/// Whether the database says that another command came first: a row is there already, or not any more as it was seen, or
/// two commands waited for each other.
pub(crate) fn is_overtaken(error: &DbErr) -> bool {
    use sea_orm::{RuntimeErr, SqlErr, sqlx};
    if matches!(error, DbErr::RecordNotUpdated) || matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
    {
        return true;
    }
    let (DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause))) = error else {
        return false;
    };
    let sqlx::Error::Database(cause) = &**cause else { return false };
    // Division by zero is a part that must hold and did not; serialization failure; deadlock.
    cause.code().is_some_and(|code| ["22012", "40001", "40P01"].contains(&&*code))
}

/// Values in the form that a statement takes.
pub(crate) type Values = Vec<Value>;

#[cfg(test)]
mod tests {
    use super::with_placeholders_from;

    #[test]
    fn placeholders_are_shifted_and_quoted_text_stays() {
        let sql = r#"UPDATE "odd$1" SET "a" = $1, "b" = 'costs $2' WHERE "c" = $12"#;
        assert_eq!(with_placeholders_from(sql, 3), r#"UPDATE "odd$1" SET "a" = $4, "b" = 'costs $2' WHERE "c" = $15"#);
    }
}

//! Several writes in one round trip: PostgreSQL takes them as the parts of one statement, SQLite as a script.

use std::fmt::Write as _;

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement, Value};

use crate::audit::{chain, records};

/// A write that nobody waits for.
pub(super) struct Write {
    pub(super) statement: Statement,
    /// It was decided on what was only glanced at: when it meets no row, the whole command comes to nothing.
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

    /// A statement can move the head of one chain.
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
        let writes = with_chain(connection, pending).await?;
        connection.execute_raw(script(&writes, "", "")).await?;
        return Ok(());
    }
    let mut records = pending.records.into_iter();
    connection.execute_raw(one_statement(pending.writes, records.next())).await?;
    for record in records {
        connection.execute_raw(one_statement(Vec::new(), Some(record))).await?;
    }
    Ok(())
}

/// Writes all or nothing inside the transaction of a group of commands.
pub(super) async fn write_in_savepoint(group: &impl ConnectionTrait, pending: Pending) -> Result<(), DbErr> {
    let writes = with_chain(group, pending).await?;
    let written = group.execute_raw(script(&writes, "SAVEPOINT command;", "RELEASE command;")).await;
    if let Err(error) = written {
        // A full disk ends the whole transaction by itself; then there is no savepoint to go back to.
        let _ = group.execute_unprepared("ROLLBACK TO command; RELEASE command").await;
        return Err(error);
    }
    Ok(())
}

async fn with_chain(connection: &impl ConnectionTrait, pending: Pending) -> Result<Vec<Statement>, DbErr> {
    let mut statements: Vec<_> = pending.writes.into_iter().map(|write| write.statement).collect();
    statements.extend(chain::links(connection, pending.records).await?);
    Ok(statements)
}

/// SQLite binds the values to the script's statements in their order. One writer at a time: what was glanced at holds.
fn script(statements: &[Statement], before: &str, after: &str) -> Statement {
    let mut sql = before.to_owned();
    let mut values = Vec::new();
    for statement in statements {
        sql.push_str(&statement.sql);
        sql.push(';');
        values.extend(statement.values.iter().flat_map(|values| values.0.iter().cloned()));
    }
    sql.push_str(after);
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
    let mut shifted = String::with_capacity(sql.len() + 8);
    let mut quote = None;
    let mut rest = sql.chars().peekable();
    while let Some(character) = rest.next() {
        shifted.push(character);
        match (quote, character) {
            (None, '"' | '\'') => quote = Some(character),
            (Some(open), close) if open == close => quote = None,
            (None, '$') => {
                let mut number = 0;
                while let Some(digit) = rest.peek().and_then(|next| next.to_digit(10)) {
                    number = number * 10 + digit as usize;
                    rest.next();
                }
                let _ = write!(shifted, "{}", number + offset);
            }
            _ => {}
        }
    }
    shifted
}

/// Whether the database says that another command came first: a row is there already, or not any more as it was seen, or
/// two commands waited for each other.
pub(crate) fn is_overtaken(error: &DbErr) -> bool {
    use sea_orm::{RuntimeErr, SqlErr, sqlx};
    if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) {
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

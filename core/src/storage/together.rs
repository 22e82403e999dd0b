//! Several writes in one round trip: PostgreSQL takes them as the parts of one statement, SQLite as a script.

use std::fmt::Write as _;

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement, Value};

use crate::{
    audit::{chain, records},
    ids::CountyId,
};

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

    /// Whether both write the same things, so that one statement can do it for both.
    pub(super) fn goes_with(&self, other: &Self) -> bool {
        let alike = |(one, other): (&Write, &Write)| {
            one.must_hold == other.must_hold && one.statement.sql == other.statement.sql
        };
        self.writes.len() == other.writes.len()
            && self.writes.iter().zip(&other.writes).all(alike)
            && self.records.len() == other.records.len()
            && (self.chain().is_none() || self.chain() != other.chain())
    }

    /// The audit chain that the first record goes into.
    pub(super) fn chain(&self) -> Option<(CountyId, i32)> {
        self.records.first().map(|record| (record.county_id, record.stripe))
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
    let mut pending = pending;
    let more_records = pending.records.split_off(pending.records.len().min(1));
    write_group(connection, &[&pending]).await?;
    for record in more_records {
        write_group(connection, &[&Pending { writes: Vec::new(), records: vec![record] }]).await?;
    }
    Ok(())
}

/// Writes what [goes together](Pending::goes_with), of many commands, on PostgreSQL.
pub(super) async fn write_group(connection: &impl ConnectionTrait, group: &[&Pending]) -> Result<(), DbErr> {
    connection.execute_raw(one_statement(group)).await?;
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

/// All writes of the commands as parts of one statement, the audit chains' heads last: whoever waits for a row of another
/// command must not hold a chain meanwhile. Rows that each command adds to the same table are one part.
fn one_statement(group: &[&Pending]) -> Statement {
    let mut statement = Parts { sql: String::from("WITH "), written: String::from("0"), count: 0, values: Vec::new() };
    for place in 0..group[0].writes.len() {
        let writes = group.iter().map(|pending| &pending.writes[place]);
        match insert_of_one_row(&group[0].writes[place].statement.sql) {
            Some((before, row, after)) => {
                let mut sql = before.to_owned();
                for (number, write) in writes.enumerate() {
                    sql.push_str(if number == 0 { "" } else { ", " });
                    sql.push_str(&statement.take_values(row, write));
                }
                sql.push_str(after);
                statement.add(&sql, false);
            }
            None => {
                for write in writes {
                    let sql = statement.take_values(&write.statement.sql, write);
                    statement.add(&sql, write.must_hold);
                }
            }
        }
    }
    let Parts { mut sql, written, mut values, .. } = statement;
    let _ = write!(sql, "done AS (SELECT {written} AS written)");
    let records: Vec<_> = group.iter().flat_map(|pending| &pending.records).collect();
    chain::link_after("done", &records, &mut sql, &mut values);
    Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
}

/// A statement in the making.
struct Parts {
    sql: String,
    /// How many rows its parts met.
    written: String,
    count: usize,
    values: Values,
}

impl Parts {
    /// The text with its placeholders shifted behind the values so far.
    fn take_values(&mut self, sql: &str, write: &Write) -> String {
        let shifted = with_placeholders_from(sql, self.values.len());
        self.values.extend(write.statement.values.iter().flat_map(|values| values.0.iter().cloned()));
        shifted
    }

    fn add(&mut self, sql: &str, must_hold: bool) {
        let place = self.count;
        self.count += 1;
        // A part that met no row divides by nothing, which undoes the statement.
        let divided = if must_hold { "1 / " } else { "" };
        let _ = write!(self.sql, "part_{place} AS ({sql} RETURNING 1), ");
        let _ = write!(self.written, " + {divided}(SELECT count(*) FROM part_{place})");
    }
}

/// What stands before an insert's values, the values, and what stands after them; none for any other statement.
fn insert_of_one_row(sql: &str) -> Option<(&str, &str, &str)> {
    const VALUES: &str = " VALUES ";
    if !sql.starts_with("INSERT INTO ") {
        return None;
    }
    let (before, rest) = sql.split_at(sql.find(VALUES)? + VALUES.len());
    let (row, after) = rest.split_at(rest.find(')')? + 1);
    // Several rows may not change the same row.
    let only_adds = row.starts_with('(') && !after.contains('$') && !after.contains("DO UPDATE");
    only_adds.then_some((before, row, after))
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
    use super::{insert_of_one_row, with_placeholders_from};

    #[test]
    fn placeholders_are_shifted_and_quoted_text_stays() {
        let sql = r#"UPDATE "odd$1" SET "a" = $1, "b" = 'costs $2' WHERE "c" = $12"#;
        assert_eq!(with_placeholders_from(sql, 3), r#"UPDATE "odd$1" SET "a" = $4, "b" = 'costs $2' WHERE "c" = $15"#);
    }

    #[test]
    fn only_an_insert_of_one_row_takes_more_rows() {
        let insert = r#"INSERT INTO "lamps" ("id", "turns") VALUES ($1, $2)"#;
        let once = format!("{insert} ON CONFLICT DO NOTHING");
        let before = r#"INSERT INTO "lamps" ("id", "turns") VALUES "#;
        assert_eq!(insert_of_one_row(insert), Some((before, "($1, $2)", "")));
        assert_eq!(insert_of_one_row(&once), Some((before, "($1, $2)", " ON CONFLICT DO NOTHING")));
        for other in [
            format!("{insert}, ($3, $4)"),
            format!(r#"{insert} ON CONFLICT ("id") DO UPDATE SET "turns" = 1"#),
            r#"INSERT INTO "lamps" ("id") VALUES (CAST($1 AS int), $2)"#.to_owned(),
            r#"UPDATE "lamps" SET "turns" = $1"#.to_owned(),
        ] {
            assert_eq!(insert_of_one_row(&other), None, "{other}");
        }
    }
}

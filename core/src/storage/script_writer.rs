//! Commands that read nothing are written by a thread of their own: SQLite works in the calling thread, and a group of
//! commands then costs no more than its statements and one flush. Nobody is woken between two statements.
//!
//! A group needs no savepoints: one that fails is undone as a whole, and written again without the command that failed.

use std::{path::PathBuf, sync::Arc, time::Duration};

use rusqlite::{
    CachedStatement, Connection, ErrorCode, OpenFlags, TransactionBehavior,
    types::{ToSqlOutput, ValueRef},
};
use sea_orm::Value;
use tokio::sync::{Mutex, mpsc, oneshot};

use super::together::Pending;
use crate::{
    audit::chain::{self, Head},
    refusal::Fault,
};

/// More would make the first command of a group wait too long for its flush.
const COMMANDS_PER_COMMIT: usize = 64;
const QUEUE_LENGTH: usize = 1024;
const STATEMENTS_KEPT: usize = 512;

/// One command's writes, and who waits for them.
struct Script {
    pending: Pending,
    answer: oneshot::Sender<Result<(), Fault>>,
}

#[derive(Clone)]
pub(super) struct ScriptWriter {
    queue: mpsc::Sender<Script>,
}

impl ScriptWriter {
    /// `turn` is held by whoever writes: the file has one writer at a time.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub(super) fn start(file: PathBuf, wait: Duration, turn: Arc<Mutex<()>>) -> Result<Self, Fault> {
        let connection = open(file, wait).map_err(Fault::unavailable)?;
        let (queue, scripts) = mpsc::channel(QUEUE_LENGTH);
        std::thread::Builder::new()
            .name("sqlite-script-writer".into())
            .spawn(move || write_in_groups(connection, scripts, &turn))
            .map_err(Fault::unavailable)?;
        Ok(Self { queue })
    }

    /// Writes all or nothing; returns when it is on the disk.
    pub(super) async fn write(&self, pending: Pending) -> Result<(), Fault> {
        let (answer, done) = oneshot::channel();
        let stopped = || Fault::unavailable("the database writer has stopped");
        self.queue.send(Script { pending, answer }).await.map_err(|_| stopped())?;
        done.await.map_err(|_| stopped())?
    }
}

fn open(file: PathBuf, wait: Duration) -> rusqlite::Result<Connection> {
    let connection =
        Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(wait)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    // What was accepted survives a power cut.
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    Ok(connection)
}

fn write_in_groups(mut connection: Connection, mut scripts: mpsc::Receiver<Script>, turn: &Mutex<()>) {
    let mut group = Vec::with_capacity(COMMANDS_PER_COMMIT);
    while scripts.blocking_recv_many(&mut group, COMMANDS_PER_COMMIT) > 0 {
        let turn = turn.blocking_lock();
        let outcomes = write_each(&mut connection, &group.iter().map(|script| &script.pending).collect::<Vec<_>>());
        drop(turn);
        for (script, outcome) in group.drain(..).zip(outcomes) {
            // The caller may have gone away; its work is committed all the same.
            let _ = script.answer.send(outcome);
        }
    }
}

/// Writes as many as it can together; each has an outcome of its own.
fn write_each(connection: &mut Connection, scripts: &[&Pending]) -> Vec<Result<(), Fault>> {
    let mut outcomes = Vec::with_capacity(scripts.len());
    while outcomes.len() < scripts.len() {
        let rest = &scripts[outcomes.len()..];
        match write_group(connection, rest) {
            Ok(()) => outcomes.extend(rest.iter().map(|_| Ok(()))),
            Err(Failure::Group(cause)) => outcomes.extend(rest.iter().map(|_| Err(Fault::Unavailable(cause.clone())))),
            Err(Failure::Script(0, fault)) => outcomes.push(Err(fault)),
            // Those before it went well, and do so again. It is then tried upon what they left on the disk.
            Err(Failure::Script(place, _)) => outcomes.extend(write_each(connection, &rest[..place])),
        }
    }
    outcomes
}

/// Why a group was not written.
enum Failure {
    /// The database does not begin or does not commit.
    Group(String),
    /// The script at this place does not go.
    Script(usize, Fault),
}

/// Writes all or nothing under one commit.
fn write_group(connection: &mut Connection, group: &[&Pending]) -> Result<(), Failure> {
    let of_all = |error| Failure::Group(format!("database: {error}"));
    // Takes the file's write lock at once: another process (a command line tool) makes us wait, not fail.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(of_all)?;
    for (place, pending) in group.iter().enumerate() {
        write_one(&transaction, pending).map_err(|fault| Failure::Script(place, fault))?;
    }
    transaction.commit().map_err(of_all)
}

fn write_one(connection: &Connection, pending: &Pending) -> Result<(), Fault> {
    for write in &pending.writes {
        let values = write.statement.values.as_ref().map_or(&[][..], |values| &values.0);
        let met = run(connection, &write.statement.sql, values).map_err(fault)?;
        if write.must_hold && met == 0 {
            return Err(Fault::Overtaken);
        }
    }
    for record in &pending.records {
        let chain = [record.county_id.into(), record.stripe.into()];
        let mut statement = connection.prepare_cached(chain::HEAD).map_err(fault)?;
        bind(&mut statement, &chain).map_err(fault)?;
        let head = statement
            .raw_query()
            .next()
            .and_then(|row| row.map(|row| Ok(Head { sequence: row.get(0)?, digest: row.get(1)? })).transpose())
            .map_err(fault)?;
        for (sql, values) in chain::link(&head.unwrap_or_default(), record) {
            run(connection, sql, &values).map_err(fault)?;
        }
    }
    Ok(())
}

/// Rows that the statement met.
fn run(connection: &Connection, sql: &str, values: &[Value]) -> rusqlite::Result<usize> {
    let mut statement = connection.prepare_cached(sql)?;
    bind(&mut statement, values)?;
    statement.raw_execute()
}

/// Values in the form that the other connections give them: what one writes, the other finds.
fn bind(statement: &mut CachedStatement<'_>, values: &[Value]) -> rusqlite::Result<()> {
    for (place, value) in values.iter().enumerate() {
        statement.raw_bind_parameter(place + 1, stored(value)?)?;
    }
    Ok(())
}

fn stored(value: &Value) -> rusqlite::Result<ToSqlOutput<'_>> {
    use rusqlite::types::Value as Owned;
    let text = |text: String| ToSqlOutput::Owned(Owned::Text(text));
    let integer = |number: i64| ToSqlOutput::Owned(Owned::Integer(number));
    let stored = match value {
        Value::Bool(value) => value.map(|value| integer(value.into())),
        Value::TinyInt(value) => value.map(|value| integer(value.into())),
        Value::SmallInt(value) => value.map(|value| integer(value.into())),
        Value::Int(value) => value.map(|value| integer(value.into())),
        Value::BigInt(value) => value.map(integer),
        Value::TinyUnsigned(value) => value.map(|value| integer(value.into())),
        Value::SmallUnsigned(value) => value.map(|value| integer(value.into())),
        Value::Unsigned(value) => value.map(|value| integer(value.into())),
        Value::Double(value) => value.map(|value| ToSqlOutput::Owned(Owned::Real(value))),
        Value::String(value) => value.as_ref().map(|value| borrowed(ValueRef::Text(value.as_bytes()))),
        Value::Bytes(value) => value.as_ref().map(|value| borrowed(ValueRef::Blob(value))),
        Value::Uuid(value) => value.as_ref().map(|value| borrowed(ValueRef::Blob(value.as_bytes()))),
        Value::Json(value) => value.as_ref().map(|value| text(value.to_string())),
        Value::ChronoDate(value) => value.map(|value| text(value.format("%F").to_string())),
        Value::ChronoDateTimeUtc(value) => {
            value.map(|value| text(value.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, false)))
        }
        other => {
            let unknown = format!("a script does not write values like {other:?}");
            return Err(rusqlite::Error::ToSqlConversionFailure(unknown.into()));
        }
    };
    Ok(stored.unwrap_or(ToSqlOutput::Owned(Owned::Null)))
}

fn borrowed(value: ValueRef<'_>) -> ToSqlOutput<'_> {
    ToSqlOutput::Borrowed(value)
}

fn fault(error: rusqlite::Error) -> Fault {
    use rusqlite::ffi::{SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE};
    match error.sqlite_error() {
        // A row is there already.
        Some(cause)
            if cause.code == ErrorCode::ConstraintViolation
                && [SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE].contains(&cause.extended_code) =>
        {
            Fault::Overtaken
        }
        _ => Fault::unavailable(format!("database: {error}")),
    }
}

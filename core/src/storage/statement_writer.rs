//! Commands that read nothing are written to PostgreSQL as one statement for many: what a commit, a round trip and the
//! start of a statement cost is paid once for all of them. As on SQLite, a group that fails is undone as a whole; each of
//! it is then written by itself.

use std::collections::VecDeque;

use futures::FutureExt as _;
use sea_orm::{DbErr, RuntimeErr, sqlx};
use tokio::sync::{mpsc, oneshot};

use super::{
    gathering::{gather, size_of_group},
    lanes::Lanes,
    together::{self, Pending},
};
use crate::refusal::Fault;

/// A larger statement gains little and keeps what it locks for longer.
const COMMANDS_PER_STATEMENT: usize = 16;
/// One computes while the other waits for the disk.
const STATEMENTS_AT_ONCE: usize = 2;

/// One command's writes, and who waits for them.
struct Script {
    pending: Pending,
    answer: oneshot::Sender<Result<(), Fault>>,
}

#[derive(Clone)]
pub(super) struct StatementWriter {
    queue: mpsc::Sender<Script>,
}

impl StatementWriter {
    pub(super) fn over(lanes: Lanes) -> Self {
        let write = move |group| {
            let lanes = lanes.clone();
            async move { write(&lanes, group).await }.boxed()
        };
        Self { queue: gather(STATEMENTS_AT_ONCE, alike, write) }
    }

    /// Writes all or nothing of what fits [one statement](Pending::fits_one_statement); returns when it is on the disk.
    pub(super) async fn write(&self, pending: Pending) -> Result<(), Fault> {
        let (answer, done) = oneshot::channel();
        let stopped = || Fault::unavailable("the database writer has stopped");
        self.queue.send(Script { pending, answer }).await.map_err(|_| stopped())?;
        done.await.map_err(|_| stopped())?
    }
}

/// The first, and others that write the same things to other audit chains: a statement moves the head of a chain once.
/// Always in the same order, so that two groups do not wait for each other.
fn alike(waiting: &mut VecDeque<Script>) -> Vec<Script> {
    let mut group: Vec<Script> = Vec::new();
    let mut others = VecDeque::new();
    while let Some(script) = waiting.pop_front() {
        let fits =
            group.len() < COMMANDS_PER_STATEMENT && group.iter().all(|other| other.pending.goes_with(&script.pending));
        if fits { group.push(script) } else { others.push_back(script) }
    }
    let left = group.split_off(size_of_group(group.len(), COMMANDS_PER_STATEMENT));
    waiting.extend(left);
    waiting.extend(others);
    group.sort_by_key(|script| script.pending.chain());
    group
}

async fn write(lanes: &Lanes, group: Vec<Script>) {
    let together = together::write_group(lanes, &group.iter().map(|script| &script.pending).collect::<Vec<_>>()).await;
    let one_by_one = group.len() > 1 && matches!(&together, Err(error) if was_undone(error));
    for script in group {
        let outcome = match &together {
            Ok(()) => Ok(()),
            Err(_) if one_by_one => together::write_group(lanes, &[&script.pending]).await.map_err(Fault::from),
            Err(error) if together::is_overtaken(error) => Err(Fault::Overtaken),
            Err(error) => Err(Fault::unavailable(format!("database: {error}"))),
        };
        // The caller may have gone away; its work is committed all the same.
        let _ = script.answer.send(outcome);
    }
}

/// The database itself refused it. When the connection broke, nobody knows whether it was written: it is not tried again.
fn was_undone(error: &DbErr) -> bool {
    let (DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause))) = error else {
        return false;
    };
    matches!(**cause, sqlx::Error::Database(_))
}

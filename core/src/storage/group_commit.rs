//! SQLite has one writer at a time and pays a disk flush per commit. So one task holds the only writing connection and
//! commits whatever has queued up together: each command in its own savepoint, all under one flush. A command hears of
//! its success only after the flush.

use std::{collections::VecDeque, sync::Arc};

use futures::future::BoxFuture;
use sea_orm::{DatabaseConnection, DatabaseTransaction, SqliteTransactionMode, TransactionOptions, TransactionTrait};
use tokio::sync::{Mutex, mpsc, oneshot};

use crate::refusal::Fault;

/// More would make the first command of a batch wait too long for its flush.
const COMMANDS_PER_COMMIT: usize = 64;
const QUEUE_LENGTH: usize = 1024;

/// Tells the waiting command how its transaction ended.
type Report = Box<dyn FnOnce(Result<(), Fault>) + Send>;

/// How a command left the group's transaction.
struct Ended {
    report: Report,
    /// The database failed: nobody knows whether the transaction still stands.
    broken: bool,
}

/// One command: sets its savepoint in the group's transaction, and releases it or rolls it back itself.
type Job = Box<dyn FnOnce(Arc<DatabaseTransaction>) -> BoxFuture<'static, Ended> + Send>;

#[derive(Clone)]
pub(super) struct GroupCommit {
    queue: mpsc::Sender<Job>,
}

impl GroupCommit {
    /// `turn` is held by whoever writes: the file has one writer at a time.
    pub(super) fn start(writer: DatabaseConnection, turn: Arc<Mutex<()>>) -> Self {
        let (queue, jobs) = mpsc::channel(QUEUE_LENGTH);
        tokio::spawn(write_in_groups(writer, jobs, turn));
        Self { queue }
    }

    /// Runs `work` in a savepoint and returns its result once the surrounding transaction is on the disk.
    pub(super) async fn run<T, F>(&self, work: F) -> Result<T, Fault>
    where
        T: Send + 'static,
        F: FnOnce(Arc<DatabaseTransaction>) -> BoxFuture<'static, Result<T, Fault>> + Send + 'static,
    {
        let (answer, result) = oneshot::channel();
        let job: Job = Box::new(move |group| {
            Box::pin(async move {
                let result = work(group).await;
                let broken = matches!(result, Err(Fault::Unavailable(_)));
                let report: Report = Box::new(move |committed| {
                    // The caller may have gone away; its work is committed all the same.
                    let _ = answer.send(match committed {
                        Ok(()) => result,
                        Err(fault) => result.and(Err(fault)),
                    });
                });
                Ended { report, broken }
            })
        });
        self.queue.send(job).await.map_err(|_| Fault::unavailable("the database writer has stopped"))?;
        result.await.map_err(|_| Fault::unavailable("the database writer dropped a command"))?
    }
}

async fn write_in_groups(writer: DatabaseConnection, mut jobs: mpsc::Receiver<Job>, turn: Arc<Mutex<()>>) {
    let mut waiting = VecDeque::with_capacity(COMMANDS_PER_COMMIT);
    let mut batch = Vec::with_capacity(COMMANDS_PER_COMMIT);
    loop {
        if waiting.is_empty() && jobs.recv_many(&mut batch, COMMANDS_PER_COMMIT).await == 0 {
            return;
        }
        waiting.extend(batch.drain(..));
        let _turn = turn.lock().await;
        write_batch(&writer, &mut waiting).await;
    }
}

/// Runs commands of the queue under one commit. After one that the database failed, the others wait for the next.
async fn write_batch(writer: &DatabaseConnection, waiting: &mut VecDeque<Job>) {
    // Takes the file's write lock at once: another process (a command line tool) makes us wait, not fail.
    let immediately =
        TransactionOptions { sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate), ..Default::default() };
    let group = match writer.begin_with_options(immediately).await {
        Ok(transaction) => Arc::new(transaction),
        Err(error) => {
            // Dropping the jobs tells their callers that the writer could not take them.
            waiting.clear();
            tracing::error!(%error, "the database does not begin a transaction");
            return;
        }
    };
    let mut reports = Vec::new();
    while let Some(job) = waiting.pop_front() {
        let ended = job(Arc::clone(&group)).await;
        reports.push(ended.report);
        if ended.broken {
            break;
        }
    }
    let committed = match Arc::try_unwrap(group) {
        Ok(transaction) => transaction.commit().await.map_err(|error| format!("database: {error}")),
        Err(_) => Err("a command kept the group's transaction".to_owned()),
    };
    for report in reports {
        report(committed.clone().map_err(Fault::Unavailable));
    }
}

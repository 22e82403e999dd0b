//! SQLite has one writer at a time and pays a disk flush per commit. So one task holds the only writing connection and
//! commits whatever has queued up together: each command in its own savepoint, all under one flush. A command hears of
//! its success only after the flush.

use futures::future::BoxFuture;
use sea_orm::{DatabaseConnection, DatabaseTransaction, SqliteTransactionMode, TransactionOptions, TransactionTrait};
use tokio::sync::{mpsc, oneshot};

use crate::refusal::Fault;

/// More would make the first command of a batch wait too long for its flush.
const COMMANDS_PER_COMMIT: usize = 64;
const QUEUE_LENGTH: usize = 1024;

/// Tells the waiting command how its transaction ended.
type Report = Box<dyn FnOnce(Result<(), Fault>) + Send>;

/// One command: runs in its savepoint, releases or rolls it back itself, then says whether it left anything to commit.
pub(super) type Job = Box<dyn FnOnce(DatabaseTransaction) -> BoxFuture<'static, Report> + Send>;

#[derive(Clone)]
pub(super) struct GroupCommit {
    queue: mpsc::Sender<Job>,
}

impl GroupCommit {
    pub(super) fn start(writer: DatabaseConnection) -> Self {
        let (queue, jobs) = mpsc::channel(QUEUE_LENGTH);
        tokio::spawn(write_in_groups(writer, jobs));
        Self { queue }
    }

    /// Runs `work` in a savepoint and returns its result once the surrounding transaction is on the disk.
    pub(super) async fn run<T, F>(&self, work: F) -> Result<T, Fault>
    where
        T: Send + 'static,
        F: FnOnce(DatabaseTransaction) -> BoxFuture<'static, Result<T, Fault>> + Send + 'static,
    {
        let (answer, result) = oneshot::channel();
        let job: Job = Box::new(move |savepoint| {
            Box::pin(async move {
                let result = work(savepoint).await;
                let report: Report = Box::new(move |committed| {
                    // The caller may have gone away; its work is committed all the same.
                    let _ = answer.send(match committed {
                        Ok(()) => result,
                        Err(fault) => result.and(Err(fault)),
                    });
                });
                report
            })
        });
        self.queue.send(job).await.map_err(|_| Fault::unavailable("the database writer has stopped"))?;
        result.await.map_err(|_| Fault::unavailable("the database writer dropped a command"))?
    }
}

async fn write_in_groups(writer: DatabaseConnection, mut jobs: mpsc::Receiver<Job>) {
    let mut batch = Vec::with_capacity(COMMANDS_PER_COMMIT);
    while jobs.recv_many(&mut batch, COMMANDS_PER_COMMIT).await > 0 {
        write_batch(&writer, batch.drain(..)).await;
    }
}

async fn write_batch(writer: &DatabaseConnection, batch: impl Iterator<Item = Job>) {
    // Takes the file's write lock at once: another process (a command line tool) makes us wait, not fail.
    let immediately =
        TransactionOptions { sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate), ..Default::default() };
    let transaction = match writer.begin_with_options(immediately).await {
        Ok(transaction) => transaction,
        Err(error) => {
            // Dropping the jobs tells their callers that the writer could not take them.
            tracing::error!(%error, "the database does not begin a transaction");
            return;
        }
    };
    let mut reports = Vec::new();
    for job in batch {
        match transaction.begin().await {
            Ok(savepoint) => reports.push(job(savepoint).await),
            Err(error) => {
                tracing::error!(%error, "the database does not set a savepoint");
                break;
            }
        }
    }
    let committed = transaction.commit().await;
    for report in reports {
        report(committed.as_ref().copied().map_err(|error| Fault::unavailable(format!("database: {error}"))));
    }
}

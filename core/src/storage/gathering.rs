//! What many want at the same moment is done for them together. Nobody waits for others to come: a group is whoever came
//! while the groups before it were served.

use std::{collections::VecDeque, sync::Arc};

use futures::future::BoxFuture;
use tokio::sync::{Semaphore, mpsc};

const QUEUE_LENGTH: usize = 1024;

/// Serves what is sent, in groups that `next` takes from the waiting, so many groups at once.
pub(super) fn gather<J: Send + 'static>(
    at_once: usize,
    next: fn(&mut VecDeque<J>) -> Vec<J>,
    serve: impl Fn(Vec<J>) -> BoxFuture<'static, ()> + Send + 'static,
) -> mpsc::Sender<J> {
    let (queue, mut jobs) = mpsc::channel(QUEUE_LENGTH);
    tokio::spawn(async move {
        let turns = Arc::new(Semaphore::new(at_once));
        let mut waiting = VecDeque::new();
        loop {
            if waiting.is_empty() {
                let Some(job) = jobs.recv().await else { return };
                waiting.push_back(job);
            }
            let Ok(turn) = Arc::clone(&turns).acquire_owned().await else { return };
            while let Ok(job) = jobs.try_recv() {
                waiting.push_back(job);
            }
            let served = serve(next(&mut waiting));
            tokio::spawn(async move {
                served.await;
                drop(turn);
            });
        }
    });
    queue
}

/// Groups have few sizes, so that a connection knows the statement of each.
pub(super) fn size_of_group(fitting: usize, most: usize) -> usize {
    1 << fitting.clamp(1, most).ilog2()
}

use std::sync::Arc;

use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;

use crate::SyncError;
use crate::apply::Applier;
use crate::plan::Work;

/// A fixed number of tasks that apply actions from one bounded queue. Dropping it ends them.
#[derive(Debug)]
pub(crate) struct Pool {
    queue: Option<mpsc::Sender<Work>>,
    workers: JoinSet<()>,
}

type Queue = Arc<Mutex<mpsc::Receiver<Work>>>;

impl Pool {
    pub(crate) fn start(applier: &Arc<Applier>, workers: usize) -> Self {
        let (queue, receiver) = mpsc::channel(workers * 32);
        let receiver = Arc::new(Mutex::new(receiver));
        let mut set = JoinSet::new();
        for _ in 0..workers {
            set.spawn(work(Arc::clone(applier), Arc::clone(&receiver)));
        }
        Self {
            queue: Some(queue),
            workers: set,
        }
    }

    /// Queues an action, waiting while the queue is full.
    pub(crate) async fn push(&self, work: Work) -> Result<(), SyncError> {
        let gone = || SyncError::Task("all workers are gone".to_owned());
        let queue = self.queue.as_ref().ok_or_else(gone)?;
        queue.send(work).await.map_err(|_| gone())
    }

    /// Waits until everything queued was applied. Nothing can be queued any more.
    pub(crate) async fn finish(&mut self) -> Result<(), SyncError> {
        self.queue = None;
        while let Some(ended) = self.workers.join_next().await {
            ended.map_err(|error| SyncError::Task(error.to_string()))?;
        }
        Ok(())
    }

    /// Ends the workers and waits until they have dropped what they were at.
    pub(crate) async fn abort(mut self) {
        self.workers.shutdown().await;
    }
}

async fn work(applier: Arc<Applier>, queue: Queue) {
    loop {
        // The lock is let go before the action is applied.
        let next = queue.lock().await.recv().await;
        match next {
            Some(work) => applier.apply(work).await,
            None => return,
        }
    }
}

use std::sync::Arc;

use storage_core::allow_blocking;
use tokio::runtime::Handle;
use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::JoinSet;

use crate::SyncError;
use crate::apply::Applier;
use crate::plan::Work;

/// Most workers that get a thread of their own; further ones are tasks of the runtime. On a thread of
/// its own a worker saves the thread hops of backends that block, which for small files are most of
/// the work; a bound keeps the runtime's blocking threads free for the rest.
const THREADS: usize = 16;

/// Most actions that a worker takes at once.
const BATCH: usize = 32;

/// A fixed number of workers that apply actions from one bounded queue. Dropping it ends them.
#[derive(Debug)]
pub(crate) struct Pool {
    queue: Option<mpsc::Sender<Work>>,
    workers: JoinSet<()>,
    /// The workers end when this is dropped, wherever they wait.
    _alive: watch::Sender<()>,
}

impl Pool {
    pub(crate) fn start(applier: &Arc<Applier>, workers: usize) -> Self {
        let (queue, receiver) = mpsc::channel(workers * BATCH);
        let (alive, end) = watch::channel(());
        let queue_end = Arc::new(Mutex::new(receiver));
        let mut set = JoinSet::new();
        for number in 0..workers {
            let worker = Worker {
                applier: Arc::clone(applier),
                queue: Arc::clone(&queue_end),
                workers,
            };
            let work = worker.run(end.clone());
            if number < THREADS {
                let runtime = Handle::current();
                set.spawn_blocking(move || allow_blocking(|| runtime.block_on(work)));
            } else {
                set.spawn(work);
            }
        }
        Self {
            queue: Some(queue),
            workers: set,
            _alive: alive,
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
    pub(crate) async fn abort(self) {
        let Self {
            queue,
            mut workers,
            _alive,
        } = self;
        drop((queue, _alive));
        while workers.join_next().await.is_some() {}
    }
}

struct Worker {
    applier: Arc<Applier>,
    queue: Arc<Mutex<mpsc::Receiver<Work>>>,
    /// How many share the queue.
    workers: usize,
}

impl Worker {
    async fn run(self, mut end: watch::Receiver<()>) {
        tokio::select! {
            biased;
            _ = end.changed() => {}
            () = self.work() => {}
        }
    }

    async fn work(&self) {
        let mut batch = Vec::with_capacity(BATCH);
        while self.take(&mut batch).await {
            for work in batch.drain(..) {
                self.applier.apply(work).await;
            }
        }
    }

    /// Takes this worker's share of what waits in the queue; `false` when nothing comes any more.
    async fn take(&self, batch: &mut Vec<Work>) -> bool {
        let mut queue = self.queue.lock().await;
        let share = (queue.len() / self.workers).clamp(1, BATCH);
        queue.recv_many(batch, share).await > 0
    }
}

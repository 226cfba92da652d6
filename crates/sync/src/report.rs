use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use crate::Event;

const BATCH: usize = 64;
const DELAY: Duration = Duration::from_millis(50);

/// Batches that may wait for the reader of a run's events. The run waits for the reader then.
pub(crate) const BACKLOG: usize = 64;

/// Hands events to the reader of a run, some at a time: waking it costs more than small transfers do.
#[derive(Debug)]
pub(crate) struct Reporter {
    sender: mpsc::Sender<Vec<Event>>,
    batch: Vec<Event>,
    flushed: Instant,
}

impl Reporter {
    pub(crate) fn new(sender: mpsc::Sender<Vec<Event>>) -> Self {
        Self {
            sender,
            batch: Vec::new(),
            flushed: Instant::now(),
        }
    }

    pub(crate) async fn push(&mut self, event: Event) {
        self.batch.push(event);
        if self.batch.len() >= BATCH || self.flushed.elapsed() >= DELAY {
            self.flush().await;
        }
    }

    pub(crate) async fn flush(&mut self) {
        self.flushed = Instant::now();
        if !self.batch.is_empty() {
            // Without a reader the run is about to be aborted.
            let _ = self.sender.send(std::mem::take(&mut self.batch)).await;
        }
    }
}

impl Clone for Reporter {
    /// A reporter to the same reader, with nothing to report yet.
    fn clone(&self) -> Self {
        Self::new(self.sender.clone())
    }
}

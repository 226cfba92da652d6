use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use storage_core::Operation;
use tokio::sync::{mpsc, watch};

use crate::drive::drive;
use crate::report::BACKLOG;
use crate::summary::Tally;
use crate::task::Task;
use crate::{Event, Failure, Job, Summary, SyncError};

/// A job at work: a stream of [`Event`]s that ends with [`Event::Summary`].
///
/// The work goes on in the background while events are taken, and waits when they are not.
/// **Dropping a run ends it at once**: transfers in progress publish nothing. To end it early and
/// still get a summary, use [`canceller`](Self::canceller).
#[derive(Debug)]
pub struct Run {
    batches: mpsc::Receiver<Vec<Event>>,
    batch: std::vec::IntoIter<Event>,
    task: Option<Task<()>>,
    tally: Arc<Tally>,
    cancel: watch::Sender<bool>,
}

/// Ends a [`Run`] early. Cheap to clone; outliving the run is fine.
#[derive(Debug, Clone)]
pub struct Canceller(watch::Sender<bool>);

impl Canceller {
    /// Ends the run: transfers in progress are dropped and publish nothing, and the stream goes on to
    /// its summary, which counts what was completed. A transfer that was just being published may be
    /// complete without being counted.
    pub fn cancel(&self) {
        self.0.send_replace(true);
    }
}

impl Run {
    pub(crate) fn start(job: Job) -> Self {
        let (events, batches) = mpsc::channel(BACKLOG);
        let (cancel, cancelled) = watch::channel(false);
        let tally = Arc::new(Tally::new());
        let task = Task::spawn(drive(Arc::new(job), Arc::clone(&tally), events, cancelled));
        Self {
            batches,
            batch: Vec::new().into_iter(),
            task: Some(task),
            tally,
            cancel,
        }
    }

    /// What ends this run early, from another task or a signal handler.
    #[must_use]
    pub fn canceller(&self) -> Canceller {
        Canceller(self.cancel.clone())
    }

    /// The next event, `None` after the summary. Cancel safe.
    pub async fn next(&mut self) -> Option<Event> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// Waits for the end of the run, taking all events.
    ///
    /// # Errors
    /// [`SyncError::Incomplete`], with the summary, when anything failed or the run was cancelled.
    /// The differences that a check finds are no error: see [`Summary::is_clean`].
    pub async fn summary(mut self) -> Result<Summary, SyncError> {
        let mut last = None;
        while let Some(event) = self.next().await {
            if let Event::Summary(summary) = event {
                last = Some(summary);
            }
        }
        match last {
            Some(summary) if summary.is_complete() => Ok(summary),
            Some(summary) => Err(SyncError::Incomplete(Box::new(summary))),
            None => Err(SyncError::Task("the summary was taken before".to_owned())),
        }
    }
}

impl Stream for Run {
    type Item = Event;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        let this = self.get_mut();
        loop {
            if let Some(event) = this.batch.next() {
                return Poll::Ready(Some(event));
            }
            if let Some(batch) = ready!(this.batches.poll_recv(cx)) {
                this.batch = batch.into_iter();
                continue;
            }
            let Some(task) = &mut this.task else {
                return Poll::Ready(None);
            };
            let ended = ready!(Pin::new(task).poll(cx));
            this.task = None;
            if let Err(broken) = ended {
                let error = SyncError::Task(broken.to_string());
                this.tally
                    .fail(&Failure::new(None, Operation::Write, error));
            }
            let cancelled = *this.cancel.borrow();
            return Poll::Ready(Some(Event::Summary(this.tally.summary(cancelled))));
        }
    }
}

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_core::Stream;
use storage_core::Operation;
use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::drive::drive;
use crate::report::{BATCH, Events};
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
    events: Arc<Events>,
    /// Events that were taken.
    batch: std::vec::IntoIter<Event>,
    task: Option<Task<()>>,
    /// Whether the summary is all that is left to report.
    is_ending: bool,
    tally: Arc<Tally>,
    cancel: watch::Sender<bool>,
    /// When the next few events are taken.
    due: Pin<Box<Sleep>>,
}

/// How long a few events wait for more.
const DELAY: Duration = Duration::from_millis(10);

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
        Self::of(|tally, events, cancel| drive(Arc::new(job), tally, events, cancel))
    }

    /// Work that counts, reports, and ends when it is cancelled.
    pub(crate) fn of<W: Future<Output = ()> + Send + 'static>(
        work: impl FnOnce(Arc<Tally>, Arc<Events>, watch::Sender<bool>) -> W,
    ) -> Self {
        let cancel = watch::Sender::new(false);
        let (events, tally) = (Arc::new(Events::default()), Arc::new(Tally::new()));
        let work = work(Arc::clone(&tally), Arc::clone(&events), cancel.clone());
        Self {
            events,
            batch: Vec::new().into_iter(),
            task: Some(Task::spawn(work)),
            is_ending: false,
            tally,
            cancel,
            due: Box::pin(sleep_until(Instant::now())),
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
            if std::mem::take(&mut this.is_ending) {
                let cancelled = *this.cancel.borrow();
                return Poll::Ready(Some(Event::Summary(this.tally.summary(cancelled))));
            }
            let Some(task) = &mut this.task else {
                return Poll::Ready(None);
            };
            let ended = Pin::new(task).poll(cx);
            let waiting = this.events.waiting(cx);
            if waiting > 0 {
                if ended.is_pending() && waiting < BATCH {
                    ready!(this.due.as_mut().poll(cx));
                }
                this.due.as_mut().reset(Instant::now() + DELAY);
                this.batch = this.events.take().into_iter();
                // The task may be polled only once after its end.
                if ended.is_pending() {
                    continue;
                }
            }
            let ended = ready!(ended);
            this.task = None;
            if let Err(broken) = ended {
                let error = SyncError::Task(broken.to_string());
                this.tally
                    .fail(&Failure::new(None, Operation::Write, error));
            }
            this.is_ending = true;
        }
    }
}

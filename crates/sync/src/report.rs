use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Context;

use futures_util::task::AtomicWaker;
use tokio::sync::Notify;

use crate::Event;

/// Events that are worth waking the reader for at once; fewer wait a moment for more.
pub(crate) const BATCH: usize = 64;

/// Events that wait for the reader at most. The run waits for the reader then.
const BACKLOG: usize = 4096;

/// Hands the events of all tasks of a run to its reader, some at a time: waking the reader for each
/// would cost more than a small transfer does.
#[derive(Debug, Default)]
pub(crate) struct Events {
    queue: Mutex<Vec<Event>>,
    reader: AtomicWaker,
    space: Notify,
}

impl Events {
    /// Adds an event, waiting while the backlog is full.
    pub(crate) async fn push(&self, event: Event) {
        let mut event = Some(event);
        loop {
            let space = self.space.notified();
            tokio::pin!(space);
            space.as_mut().enable();
            if self.try_push(&mut event) {
                return;
            }
            space.await;
        }
    }

    fn try_push(&self, event: &mut Option<Event>) -> bool {
        let mut queue = self.queue();
        if queue.len() >= BACKLOG {
            return false;
        }
        queue.extend(event.take());
        let len = queue.len();
        drop(queue);
        // Between the two the reader sleeps by its own clock.
        if len == 1 || len == BATCH {
            self.reader.wake();
        }
        true
    }

    /// How many events there are to take; the reader is woken when more come.
    pub(crate) fn waiting(&self, cx: &Context<'_>) -> usize {
        self.reader.register(cx.waker());
        self.queue().len()
    }

    /// Takes all events.
    pub(crate) fn take(&self) -> Vec<Event> {
        let events = std::mem::take(&mut *self.queue());
        self.space.notify_waiters();
        events
    }

    fn queue(&self) -> MutexGuard<'_, Vec<Event>> {
        // A panic between lock and unlock leaves the queue whole.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

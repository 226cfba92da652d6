use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;

use crate::StreamStats;
use crate::settings::Rules;
use crate::state::{ReaderId, Received, Refusal, Sent, State};
use crate::sync::{Mutex, lock};

/// One stream behind its lock, with the tasks that wait for it.
///
/// A change wakes every task that it may concern, and never one of several: a reader is polled by
/// hand, and one that was woken and then left alone would keep the news from the others.
#[derive(Debug)]
pub(crate) struct Stream(Mutex<Guarded>);

#[derive(Debug)]
struct Guarded {
    state: State,
    readers: Waiting,
    writers: Waiting,
    next_writer: u64,
}

/// The wakers of tasks that wait, by the number of the reader or writer that each waits for.
#[derive(Debug, Default)]
struct Waiting(Vec<(u64, Waker)>);

/// What is left to do when no lock is held any more; dropping it does it. Wakers and messages may
/// run code of others, which may call back.
#[must_use]
#[derive(Debug, Default)]
pub(crate) struct Aftermath {
    wake: Vec<(u64, Waker)>,
    _forgotten: VecDeque<Bytes>,
}

impl Stream {
    pub(crate) fn new(rules: Rules) -> Self {
        Self(Mutex::new(Guarded {
            state: State::new(rules),
            readers: Waiting::default(),
            writers: Waiting::default(),
            next_writer: 0,
        }))
    }

    pub(crate) fn is_there(&self) -> bool {
        lock(&self.0).state.is_there()
    }

    pub(crate) fn has_ended(&self) -> bool {
        lock(&self.0).state.has_ended()
    }

    pub(crate) fn is_idle(&self) -> bool {
        lock(&self.0).state.is_idle()
    }

    pub(crate) fn stats(&self) -> StreamStats {
        lock(&self.0).state.stats()
    }

    pub(crate) fn open_writer(&self) -> u64 {
        let mut guarded = lock(&self.0);
        guarded.state.open_writer();
        guarded.next_writer += 1;
        guarded.next_writer
    }

    pub(crate) fn open_reader(&self) -> ReaderId {
        lock(&self.0).state.open_reader()
    }

    /// Sends the message in `slot`, taking it, or waits for room. A call that is not repeated has
    /// sent nothing.
    pub(crate) fn poll_send(
        &self,
        writer: u64,
        slot: &mut Bytes,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Refusal>> {
        let mut guarded = lock(&self.0);
        let (result, after) = match guarded.state.send(slot) {
            Sent::Full => {
                guarded.writers.wait(writer, cx.waker());
                return Poll::Pending;
            }
            Sent::Done(pushed_out) => (Ok(()), guarded.readers.wake(pushed_out)),
            Sent::Refused(refusal) => (Err(refusal), Aftermath::default()),
        };
        drop(guarded);
        drop(after);
        Poll::Ready(result)
    }

    pub(crate) fn finish_writer(&self) -> Result<(), Refusal> {
        let mut guarded = lock(&self.0);
        let result = guarded.state.finish_writer();
        let after = guarded.readers.wake([]);
        drop(guarded);
        drop(after);
        result
    }

    pub(crate) fn drop_writer(&self, writer: u64) -> Aftermath {
        let mut guarded = lock(&self.0);
        guarded.writers.forget(writer);
        guarded.state.drop_writer();
        guarded.readers.wake([])
    }

    /// The next message, or why there is none. A call that is not repeated has taken nothing.
    pub(crate) fn poll_receive(&self, reader: ReaderId, cx: &mut Context<'_>) -> Poll<Received> {
        let mut guarded = lock(&self.0);
        let received = guarded.state.receive(reader);
        let after = match &received {
            Received::Empty => {
                guarded.readers.wait(reader, cx.waker());
                return Poll::Pending;
            }
            Received::Message(_) | Received::Lagged(_) => guarded.writers.wake([]),
            Received::End | Received::Broken(_) | Received::Closed => Aftermath::default(),
        };
        drop(guarded);
        drop(after);
        Poll::Ready(received)
    }

    pub(crate) fn close_reader(&self, reader: ReaderId) -> Aftermath {
        let mut guarded = lock(&self.0);
        guarded.readers.forget(reader);
        let forgotten = guarded.state.close_reader(reader);
        guarded.writers.wake(forgotten)
    }

    /// Takes the stream out of the name space; see [`State::delete`].
    pub(crate) fn delete(&self) -> [Aftermath; 2] {
        let mut guarded = lock(&self.0);
        let forgotten = guarded.state.delete();
        [guarded.writers.wake(forgotten), guarded.readers.wake([])]
    }

    /// Tells everybody whether new readers and writers can come.
    pub(crate) fn set_shut(&self, shut: bool) -> [Aftermath; 2] {
        let mut guarded = lock(&self.0);
        guarded.state.set_shut(shut);
        [guarded.writers.wake([]), guarded.readers.wake([])]
    }
}

impl Waiting {
    fn wait(&mut self, id: u64, waker: &Waker) {
        match self.0.iter_mut().find(|(known, _)| *known == id) {
            Some((_, known)) => known.clone_from(waker),
            None => self.0.push((id, waker.clone())),
        }
    }

    fn forget(&mut self, id: u64) {
        self.0.retain(|(known, _)| *known != id);
    }

    /// Nobody waits any more: all are woken with what is returned.
    fn wake(&mut self, forgotten: impl IntoIterator<Item = Bytes>) -> Aftermath {
        Aftermath {
            wake: std::mem::take(&mut self.0),
            _forgotten: forgotten.into_iter().collect(),
        }
    }
}

impl Drop for Aftermath {
    fn drop(&mut self) {
        for (_, waker) in self.wake.drain(..) {
            waker.wake();
        }
    }
}

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;

use crate::StreamStats;
use crate::settings::{Mode, Rules, SlowReaders};

/// Names one reader of a stream.
pub(crate) type ReaderId = u64;

/// One stream as a state machine: no lock, no waiting, no input or output.
///
/// Messages are numbered from 0 in the order they were sent; `log` holds those that somebody may
/// still read. A *session* lasts from the first writer's opening to the last one's leaving. A reader
/// is at the end when it has read everything, no writer is open and a session has ended that it was
/// not told of yet.
#[derive(Debug)]
pub(crate) struct State {
    rules: Rules,
    log: VecDeque<Bytes>,
    log_bytes: u64,
    /// The number of the first message in `log`.
    base: u64,
    writers: usize,
    session: Session,
    readers: BTreeMap<ReaderId, Place>,
    next_reader: ReaderId,
    now: Mark,
    /// Where the next reader starts while none is open. Of a queue, only the mark counts.
    resume: Place,
    missed: u64,
    /// Out of the name space: nobody new comes.
    deleted: bool,
    /// Every backend handle is closed: nobody new comes for now.
    shut: bool,
}

/// How many sessions have ended, and how many writers were dropped in them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Mark {
    ends: u64,
    dropped: u64,
}

/// What one reader has read and been told.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    /// The number of its next message; meaningless in a queue.
    next: u64,
    told: Mark,
}

/// What the writers that are open, and those that left before them, did.
#[derive(Debug, Clone, Copy, Default)]
struct Session {
    sent: bool,
    finished: bool,
    dropped: u64,
}

/// The outcome of a send.
#[derive(Debug)]
pub(crate) enum Sent {
    /// It is in the stream. The message that it pushed out is to be dropped outside of any lock.
    Done(Option<Bytes>),
    /// There is no room now.
    Full,
    /// There never will be.
    Refused(Refusal),
}

/// Why a writer cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    Deleted,
    /// Nobody reads, and nobody can open a reader.
    Closed,
    /// The history would exceed this many bytes.
    History(u64),
}

/// The outcome of a receive.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Received {
    Message(Bytes),
    /// Nothing yet.
    Empty,
    /// The reader missed so many messages.
    Lagged(u64),
    /// Everything was read and every writer finished.
    End,
    /// Everything was read, but so many writers were dropped before they finished.
    Broken(u64),
    /// Nobody writes, and nobody can open a writer.
    Closed,
}

impl State {
    pub(crate) fn new(rules: Rules) -> Self {
        Self {
            rules,
            log: VecDeque::new(),
            log_bytes: 0,
            base: 0,
            writers: 0,
            session: Session::default(),
            readers: BTreeMap::new(),
            next_reader: 0,
            now: Mark::default(),
            resume: Place::default(),
            missed: 0,
            deleted: false,
            shut: false,
        }
    }

    /// Whether there is a stream for a reader that opens now: messages, a writer, or an end that
    /// nobody was told of.
    pub(crate) fn is_there(&self) -> bool {
        !self.deleted && (self.writers > 0 || self.now.ends > self.start().told.ends)
    }

    /// Whether the stream is complete, and only waits for readers.
    pub(crate) fn has_ended(&self) -> bool {
        self.writers == 0 && self.is_there()
    }

    /// Whether the stream can be forgotten.
    pub(crate) fn is_idle(&self) -> bool {
        self.readers.is_empty() && !self.is_there()
    }

    pub(crate) fn open_writer(&mut self) {
        if self.writers == 0 {
            self.session = Session::default();
        }
        self.writers += 1;
    }

    /// Takes the message out of `slot` if it can be sent.
    pub(crate) fn send(&mut self, slot: &mut Bytes) -> Sent {
        if self.deleted {
            return Sent::Refused(Refusal::Deleted);
        }
        let mut pushed_out = None;
        if self.is_full() {
            if self.rules.slow_readers == SlowReaders::Skip {
                pushed_out = self.forget_oldest();
            } else if self.shut && self.readers.is_empty() {
                return Sent::Refused(Refusal::Closed);
            } else {
                return Sent::Full;
            }
        }
        let bytes = self.log_bytes + slot.len() as u64;
        if self.rules.mode == Mode::Replay && bytes > self.rules.history {
            return Sent::Refused(Refusal::History(self.rules.history));
        }
        self.log_bytes = bytes;
        self.log.push_back(std::mem::take(slot));
        self.session.sent = true;
        Sent::Done(pushed_out)
    }

    /// A writer leaves, its part of the stream complete.
    pub(crate) fn finish_writer(&mut self) -> Result<(), Refusal> {
        if self.deleted {
            return Err(Refusal::Deleted);
        }
        self.session.finished = true;
        self.leave_session();
        Ok(())
    }

    /// A writer leaves in the middle.
    pub(crate) fn drop_writer(&mut self) {
        if !self.deleted {
            self.session.dropped += 1;
            self.leave_session();
        }
    }

    fn leave_session(&mut self) {
        self.writers = self.writers.saturating_sub(1);
        let session = self.session;
        // A write that was given up before anybody could notice has never been.
        let unnoticed = !session.sent && !session.finished && self.readers.is_empty();
        if self.writers == 0 && !unnoticed {
            self.now.ends += 1;
            self.now.dropped += session.dropped;
        }
    }

    /// Where a reader starts that opens now.
    fn start(&self) -> Place {
        match self.rules.mode {
            Mode::Queue => self.resume,
            Mode::Broadcast if self.readers.is_empty() => self.resume,
            Mode::Broadcast => Place {
                next: self.tail(),
                told: self.now,
            },
            Mode::Replay => Place::default(),
        }
    }

    pub(crate) fn open_reader(&mut self) -> ReaderId {
        let (id, place) = (self.next_reader, self.start());
        self.next_reader += 1;
        self.readers.insert(id, place);
        id
    }

    pub(crate) fn receive(&mut self, reader: ReaderId) -> Received {
        let base = self.base;
        let Some(place) = self.readers.get_mut(&reader) else {
            return Received::End;
        };
        if self.rules.mode == Mode::Queue {
            return match self.forget_oldest() {
                Some(message) => Received::Message(message),
                None => self.at_the_end(reader),
            };
        }
        if place.next < base {
            let missed = base - place.next;
            place.next = base;
            self.missed += missed;
            return Received::Lagged(missed);
        }
        let Some(message) = self.log.get((place.next - base) as usize).cloned() else {
            return self.at_the_end(reader);
        };
        place.next += 1;
        if place.next == base + 1 {
            // It may have been the last that others waited for. What this forgets is at most the
            // message itself, which lives on in the caller's hands.
            self.forget_what_all_have_read();
        }
        Received::Message(message)
    }

    /// What to tell a reader that has read everything.
    fn at_the_end(&mut self, reader: ReaderId) -> Received {
        let now = self.now;
        let Some(place) = self.readers.get_mut(&reader) else {
            return Received::End;
        };
        if self.writers > 0 {
            return Received::Empty;
        }
        if now.ends == place.told.ends && !self.deleted {
            return match self.shut {
                true => Received::Closed,
                false => Received::Empty,
            };
        }
        let dropped = now.dropped - place.told.dropped;
        place.told = now;
        if self.rules.mode == Mode::Queue {
            self.resume.told = now;
        }
        match dropped {
            0 => Received::End,
            dropped => Received::Broken(dropped),
        }
    }

    /// A reader leaves. What it alone was to read is forgotten, unless it is the last: then the next
    /// one takes its place. The messages are to be dropped outside of any lock.
    pub(crate) fn close_reader(&mut self, reader: ReaderId) -> VecDeque<Bytes> {
        let Some(place) = self.readers.remove(&reader) else {
            return VecDeque::new();
        };
        if self.rules.mode == Mode::Broadcast && self.readers.is_empty() {
            self.resume = place;
        }
        if self.deleted && self.readers.is_empty() {
            return std::mem::take(&mut self.log);
        }
        self.forget_what_all_have_read()
    }

    /// Takes the stream out of the name space: writers are cut off, readers read what there is.
    pub(crate) fn delete(&mut self) -> VecDeque<Bytes> {
        self.deleted = true;
        if self.writers > 0 {
            self.now.ends += 1;
            self.now.dropped += self.session.dropped + self.writers as u64;
            self.writers = 0;
        }
        match self.readers.is_empty() {
            true => std::mem::take(&mut self.log),
            false => VecDeque::new(),
        }
    }

    /// Tells whether new readers and writers can come.
    pub(crate) fn set_shut(&mut self, shut: bool) {
        self.shut = shut;
    }

    pub(crate) fn stats(&self) -> StreamStats {
        let tail = self.tail();
        let places = || self.readers.values().map(|place| place.next);
        let overdue = places().map(|next| self.base.saturating_sub(next));
        StreamStats {
            writers: self.writers,
            readers: self.readers.len(),
            sent: tail,
            held: self.log.len(),
            behind: match self.rules.mode {
                Mode::Queue => self.log.len() as u64,
                Mode::Broadcast | Mode::Replay => {
                    places().map(|next| tail - next).max().unwrap_or(0)
                }
            },
            missed: self.missed + overdue.sum::<u64>(),
        }
    }

    /// The number that the next message gets.
    fn tail(&self) -> u64 {
        self.base + self.log.len() as u64
    }

    /// Whether the next message has to wait, or to push one out.
    fn is_full(&self) -> bool {
        let held = match self.rules.mode {
            Mode::Queue | Mode::Broadcast => self.log.len() as u64,
            // The history stays; what counts is how far a reader is behind.
            Mode::Replay => match self.slowest() {
                Some(next) => self.tail() - next,
                None => 0,
            },
        };
        held >= self.rules.capacity as u64
    }

    fn slowest(&self) -> Option<u64> {
        self.readers.values().map(|place| place.next).min()
    }

    fn forget_oldest(&mut self) -> Option<Bytes> {
        let message = self.log.pop_front()?;
        self.base += 1;
        self.log_bytes -= message.len() as u64;
        Some(message)
    }

    fn forget_what_all_have_read(&mut self) -> VecDeque<Bytes> {
        let mut forgotten = VecDeque::new();
        if self.rules.mode == Mode::Broadcast {
            let until = self.slowest().unwrap_or(self.resume.next);
            while self.base < until {
                forgotten.extend(self.forget_oldest());
            }
        }
        forgotten
    }
}

use storage_core::{Error, Result};

/// Who gets which messages of a stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mode {
    /// Every message goes to one of the readers, whichever asks first.
    #[default]
    Queue,
    /// Every message goes to every reader that is open when it is sent. What is sent while no reader
    /// is open waits for the next one.
    Broadcast,
    /// Every message goes to every reader, however late it opens, from the first message on.
    Replay,
}

/// What opening a reader does at a path where there is no stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Missing {
    /// It fails with `NotFound`, as on any backend.
    #[default]
    NotFound,
    /// It succeeds, and the first read waits for a writer.
    Wait,
}

/// What happens in [`Mode::Broadcast`] to a reader that is a whole capacity behind the writers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SlowReaders {
    /// The writers wait for it.
    #[default]
    Wait,
    /// It misses the oldest messages, which are counted, and its next read fails with
    /// [`Lagged`](crate::Lagged). Writers never wait, whether there are readers or not.
    Skip,
}

/// What a stream does; the same for every stream of a backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rules {
    pub(crate) mode: Mode,
    pub(crate) slow_readers: SlowReaders,
    /// Messages, at least 1.
    pub(crate) capacity: usize,
    /// Bytes that a replay keeps.
    pub(crate) history: u64,
}

/// Settings by name, as given; checked when a backend is built.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) mode: Mode,
    pub(crate) missing: Missing,
    pub(crate) slow_readers: Option<SlowReaders>,
    pub(crate) capacity: usize,
    pub(crate) history: Option<u64>,
}

impl Settings {
    pub(crate) const fn new() -> Self {
        Self {
            mode: Mode::Queue,
            missing: Missing::NotFound,
            slow_readers: None,
            capacity: 100,
            history: None,
        }
    }

    /// The rules that every stream follows.
    ///
    /// # Errors
    /// `Config` for a capacity of 0 and for a setting that the mode has no use for.
    pub(crate) fn rules(&self) -> Result<Rules> {
        let refuse = |why: &'static str| Err(Error::config(why));
        if self.capacity == 0 {
            return refuse("the capacity of a channel is at least 1 message");
        }
        if self.slow_readers.is_some() && self.mode != Mode::Broadcast {
            return refuse("slow readers are a setting of mode broadcast");
        }
        if self.history.is_some() && self.mode != Mode::Replay {
            return refuse("a history is a setting of mode replay");
        }
        Ok(self.rules_unchecked())
    }

    pub(crate) fn rules_unchecked(&self) -> Rules {
        Rules {
            mode: self.mode,
            slow_readers: self.slow_readers.unwrap_or_default(),
            capacity: self.capacity,
            history: self.history.unwrap_or(64 << 20),
        }
    }
}

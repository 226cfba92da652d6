/// What a stream is doing, at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamStats {
    /// Writers that are open.
    pub writers: usize,
    /// Readers that are open and not at the end.
    pub readers: usize,
    /// Messages sent since the stream began.
    pub sent: u64,
    /// Messages in memory.
    pub held: usize,
    /// The lag: messages that the slowest open reader has not read yet. Of a queue, those that nobody
    /// has taken.
    pub behind: u64,
    /// Messages that slow readers missed under [`SlowReaders::Skip`](crate::SlowReaders::Skip), each
    /// counted once for every reader that missed it.
    pub missed: u64,
}

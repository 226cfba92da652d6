//! What every contender can do, and the operations that are timed.

use std::future::Future;
use std::ops::Range;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::{Result, allocations};

/// A contender. Keys are made beforehand, in the form that its calls take.
pub(crate) trait Store: Clone + Send + Sync + 'static {
    type Key: Send + Sync;

    fn key(&self, name: &str) -> Result<Self::Key>;

    /// Reads a whole object into one piece of memory and gives its size.
    fn read(&self, key: &Self::Key) -> impl Future<Output = Result<u64>> + Send;

    /// Reads a whole object into pieces of memory that are all kept, and gives its size.
    fn read_pieces(&self, key: &Self::Key) -> impl Future<Output = Result<u64>> + Send;

    fn write(&self, key: &Self::Key, bytes: Bytes) -> impl Future<Output = Result> + Send;

    /// Reads an object chunk by chunk and gives its size.
    fn stream_read(&self, key: &Self::Key) -> impl Future<Output = Result<u64>> + Send;

    fn stream_write(
        &self,
        key: &Self::Key,
        chunks: &[Bytes],
    ) -> impl Future<Output = Result> + Send;

    /// Lists one level below a folder; gives the number of objects and the sum of their sizes, and
    /// fails if one came without a modified time.
    fn list(&self, folder: &Self::Key) -> impl Future<Output = Result<(u64, u64)>> + Send;
}

/// What is timed.
#[derive(Debug, Clone)]
pub(crate) enum Operation {
    /// Of objects of this size, by name.
    Read(Vec<String>, u64),
    ReadPieces(String, u64),
    /// Of these names in turn.
    Write(Vec<String>, Bytes),
    StreamRead(String, u64),
    StreamWrite(String, Vec<Bytes>),
    /// A folder with this many objects of 1 byte.
    List(String, u64),
}

/// One batch of calls, by call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Batch {
    pub(crate) time: Duration,
    pub(crate) allocations: Option<f64>,
}

impl Operation {
    fn names(&self) -> &[String] {
        match self {
            Self::Read(names, _) | Self::Write(names, _) => names,
            Self::ReadPieces(name, _)
            | Self::StreamRead(name, _)
            | Self::StreamWrite(name, _)
            | Self::List(name, _) => std::slice::from_ref(name),
        }
    }

    /// Does the calls of `range`, counted over all rounds, one after the other. Counts allocations
    /// on request.
    pub(crate) async fn batch<S: Store>(
        self,
        store: S,
        range: Range<usize>,
        counted: bool,
    ) -> Result<Batch> {
        let keys = self.names().iter().map(|name| store.key(name));
        let keys: Vec<_> = keys.collect::<Result<_>>()?;
        let calls = u32::try_from(range.len())?;
        if counted {
            allocations::start();
        }
        let start = Instant::now();
        for call in range {
            self.once(&store, &keys[call % keys.len()]).await?;
        }
        let time = start.elapsed();
        Ok(Batch {
            time: time / calls.max(1),
            allocations: counted.then(|| allocations::stop() as f64 / f64::from(calls.max(1))),
        })
    }

    async fn once<S: Store>(&self, store: &S, key: &S::Key) -> Result {
        match self {
            Self::Read(_, size) => same(store.read(key).await?, *size),
            Self::ReadPieces(_, size) => same(store.read_pieces(key).await?, *size),
            Self::Write(_, bytes) => store.write(key, bytes.clone()).await,
            Self::StreamRead(_, size) => same(store.stream_read(key).await?, *size),
            Self::StreamWrite(_, chunks) => store.stream_write(key, chunks).await,
            Self::List(_, count) => same(store.list(key).await?, (*count, *count)),
        }
    }
}

/// Bytes of all pieces.
pub(crate) fn sum(pieces: &[Bytes]) -> u64 {
    pieces.iter().map(|piece| piece.len() as u64).sum()
}

/// A contender that does not do the work has no time.
fn same<T: PartialEq + std::fmt::Debug>(found: T, expected: T) -> Result {
    match found == expected {
        true => Ok(()),
        false => Err(format!("{found:?} came instead of {expected:?}").into()),
    }
}

//! Giving up on what makes no progress.

use std::future::Future;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use storage_core::{ByteStream, Error, ErrorKind, Payload, PayloadSource, Result};
use tokio::time::{Instant, timeout_at};

use crate::call::{Call, Reply, Step};
use crate::policy::{BoxFuture, Policy};

/// Fails with `Timeout` what makes no progress for a time. However long a transfer takes that goes
/// on, it is not cut off.
///
/// - A step of progress is a call, a chunk of a reader or writer, a piece of a payload that the
///   backend takes, each 8 MiB of what `read_ranges` asks for, up to 1 GiB. Choose more time than the backend needs to
///   send what it holds back, such as the parts of an upload in flight.
/// - `copy`, `rename`, a recursive `rmdir` and `flush`, of which no progress can be seen, have a limit
///   of their own, or none.
/// - A call that may have changed the store says that its
///   [outcome is unknown](Error::outcome_unknown).
/// - `read` reads by chunks. A payload of more than 256 KiB is no longer a file to the backend, so that
///   it is not copied within the operating system.
#[derive(Debug, Clone)]
pub struct Timeout {
    idle: Duration,
    server_side: Option<Duration>,
}

/// Payloads up to this many bytes are one step.
const PIECE: usize = 256 << 10;

/// Bytes of `read_ranges` that are one step.
const RANGES: u64 = 8 << 20;

/// Most steps of one `read_ranges`: what it asks for may reach far past the end of the object.
const MAX_STEPS: u64 = 128;

impl Timeout {
    /// Allows `idle` for each step, and any time for what the store does by itself.
    #[must_use]
    pub const fn new(idle: Duration) -> Self {
        Self {
            idle,
            server_side: None,
        }
    }

    /// The time for a whole `copy`, `rename`, recursive `rmdir` or `flush`.
    #[must_use]
    pub const fn server_side(mut self, limit: Duration) -> Self {
        self.server_side = Some(limit);
        self
    }

    /// How long a step may take.
    fn limit(&self, call: &Call<'_>) -> Option<Duration> {
        if call.server_side {
            return self.server_side;
        }
        let steps = match call.mutates {
            true => 1,
            false => (1 + call.bytes / RANGES).min(MAX_STEPS),
        };
        Some(self.idle.saturating_mul(steps as u32))
    }

    /// When a payload has made no progress for too long; `None` for never.
    fn deadline(&self, progress: &Progress) -> Option<Instant> {
        progress.last().checked_add(self.idle)
    }
}

fn ran_out(call: &Call<'_>, limit: Duration) -> Error {
    let error = Error::new(ErrorKind::Timeout, format!("no progress within {limit:?}"));
    match call.mutates && matches!(call.step, Step::Call | Step::Finish) {
        true => error.with_outcome_unknown(),
        false => error,
    }
}

impl Policy for Timeout {
    async fn step<T: Reply>(
        &self,
        call: &Call<'_>,
        action: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        let Some(limit) = self.limit(call) else {
            return action.await;
        };
        match tokio::time::timeout(limit, action).await {
            Ok(outcome) => outcome,
            Err(_) => Err(ran_out(call, limit)),
        }
    }

    async fn write<'a, T: Reply>(
        &self,
        call: &Call<'_>,
        payload: Payload,
        mut again: impl FnMut(Payload) -> BoxFuture<'a, Result<T>> + Send,
    ) -> Result<T> {
        if payload.len() <= PIECE as u64 {
            return self.step(call, again(payload)).await;
        }
        let progress = Progress::default();
        let mut write = again(Payload::from_source(Arc::new(Watched {
            payload,
            progress: progress.clone(),
        })));
        loop {
            let Some(until) = self.deadline(&progress) else {
                return write.await;
            };
            match timeout_at(until, &mut write).await {
                Ok(outcome) => return outcome,
                Err(_) if self.deadline(&progress) == Some(until) => {
                    return Err(ran_out(call, self.idle));
                }
                Err(_) => {}
            }
        }
    }

    fn reads_by_chunks(&self) -> bool {
        true
    }
}

/// When the last piece of a payload was taken.
#[derive(Debug, Clone)]
struct Progress(Arc<Mutex<Instant>>);

impl Default for Progress {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }
}

impl Progress {
    fn last(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn made(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }
}

/// A payload that notes when its pieces are taken.
struct Watched {
    payload: Payload,
    progress: Progress,
}

impl PayloadSource for Watched {
    fn len(&self) -> u64 {
        self.payload.len()
    }

    fn stream(&self) -> ByteStream {
        let progress = self.progress.clone();
        let pieces = self.payload.stream().flat_map(|chunk| match chunk {
            Ok(chunk) => stream::iter(pieces(chunk)).left_stream(),
            Err(error) => stream::iter([Err(error)]).right_stream(),
        });
        Box::pin(pieces.inspect(move |_| progress.made()))
    }
}

fn pieces(chunk: Bytes) -> impl Iterator<Item = Result<Bytes>> {
    let starts = (0..chunk.len()).step_by(PIECE);
    starts.map(move |at| {
        let piece: Range<usize> = at..chunk.len().min(at + PIECE);
        Ok(chunk.slice(piece))
    })
}

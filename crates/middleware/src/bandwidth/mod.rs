//! Limiting how fast bytes flow.

mod limiter;
mod timetable;

use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use storage_core::{Backend, ByteStream, Payload, PayloadSource, ReadOptions, Reader, Result};

use crate::call::{Call, Reply, Step};
use crate::policy::{BoxFuture, Policy};
use crate::streams::rebuilt;

pub use limiter::Limiter;
pub use timetable::{Bandwidth, TimeOfWeek};

/// Lets bytes flow no faster than a [`Bandwidth`], read and written ones together; all clones share
/// it. What the store copies by itself is free.
///
/// From 1 byte to 10 GB a second the limit holds within 5 % over ten seconds. A payload is no longer a
/// file to the backend, so that it is not copied within the operating system.
#[derive(Debug, Clone)]
pub struct BandwidthLimit(Arc<Limiter>);

impl BandwidthLimit {
    /// Limits to `bandwidth`.
    #[must_use]
    pub fn new(bandwidth: Bandwidth) -> Self {
        Self(Arc::new(Limiter::new(bandwidth)))
    }

    /// Limits to what is left of a limit that others use as well.
    #[must_use]
    pub const fn shared(limiter: Arc<Limiter>) -> Self {
        Self(limiter)
    }
}

impl Policy for BandwidthLimit {
    async fn step<T: Reply>(
        &self,
        call: &Call<'_>,
        action: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        if call.step == Step::Chunk {
            self.0.take(call.bytes).await;
        }
        let reply = action.await?;
        // What came of the ranges asked for, which may reach past the end.
        self.0.take(reply.bytes()).await;
        Ok(reply)
    }

    async fn write<'a, T: Reply>(
        &self,
        _: &Call<'_>,
        payload: Payload,
        mut again: impl FnMut(Payload) -> BoxFuture<'a, Result<T>> + Send,
    ) -> Result<T> {
        if payload.is_empty() {
            return again(payload).await;
        }
        let limiter = Arc::clone(&self.0);
        again(Payload::from_source(Arc::new(Slowed { payload, limiter }))).await
    }

    fn reader<B: Backend>(self: &Arc<Self>, _: &Arc<B>, reader: Reader, _: &ReadOptions) -> Reader {
        rebuilt(reader, |stream| slowed(stream, Arc::clone(&self.0)))
    }

    fn reads_by_chunks(&self) -> bool {
        true
    }
}

struct Slowed {
    payload: Payload,
    limiter: Arc<Limiter>,
}

impl PayloadSource for Slowed {
    fn len(&self) -> u64 {
        self.payload.len()
    }

    fn stream(&self) -> ByteStream {
        slowed(self.payload.stream(), Arc::clone(&self.limiter))
    }
}

/// The stream in pieces as they are granted.
fn slowed(stream: ByteStream, limiter: Arc<Limiter>) -> ByteStream {
    let state = (stream, Bytes::new(), limiter);
    Box::pin(stream::unfold(
        state,
        async |(mut stream, mut rest, limiter)| {
            while rest.is_empty() {
                match stream.next().await? {
                    Ok(chunk) => rest = chunk,
                    Err(error) => return Some((Err(error), (stream, rest, limiter))),
                }
            }
            let granted = limiter.grant(rest.len() as u64).await;
            let piece = rest.split_to(usize::try_from(granted).unwrap_or(rest.len()));
            Some((Ok(piece), (stream, rest, limiter)))
        },
    ))
}

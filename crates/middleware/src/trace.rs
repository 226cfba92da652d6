//! Spans and events of calls.

use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use storage_core::{Backend, ObjectPath, ReadOptions, Reader, Result};
use tracing::{Instrument, Level, Span, debug, debug_span, field};

use crate::call::{Call, Reply, Step};
use crate::policy::Policy;
use crate::streams::rebuilt;

/// A `tracing` span for every call and opening, at level debug, target `storage_middleware`.
///
/// A span is named `storage` and has the fields `operation`, `backend`, `path`, `bytes` (handed in or
/// out), `error` (its kind) and `attempts`, which a [`Retry`](crate::retry::Retry) below fills in. The
/// finish of a writer has a span of its own. A reader has an event when it ends or is dropped, with
/// the bytes that it gave. Options, metadata and configuration are never shown.
#[derive(Debug, Clone, Copy, Default)]
pub struct Trace;

impl Policy for Trace {
    async fn step<T: Reply>(
        &self,
        call: &Call<'_>,
        action: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        if call.step == Step::Chunk || !tracing::enabled!(Level::DEBUG) {
            return action.await;
        }
        let span = span(call);
        let outcome = action.instrument(span.clone()).await;
        match &outcome {
            Ok(reply) => {
                span.record("bytes", call.moved(reply.bytes()));
            }
            Err(error) => {
                span.record("error", error.kind().as_str());
            }
        }
        span.in_scope(|| debug!("{}", if outcome.is_ok() { "done" } else { "failed" }));
        outcome
    }

    fn reader<B: Backend>(
        self: &Arc<Self>,
        backend: &Arc<B>,
        reader: Reader,
        _: &ReadOptions,
    ) -> Reader {
        if !tracing::enabled!(Level::DEBUG) {
            return reader;
        }
        let mut read = Read {
            backend: backend.name(),
            path: reader.info().path.clone(),
            bytes: 0,
        };
        rebuilt(reader, |stream| {
            Box::pin(stream.inspect(move |chunk| {
                read.passed(chunk.as_ref().map_or(0, Bytes::len));
            }))
        })
    }
}

fn span(call: &Call<'_>) -> Span {
    debug_span!(
        target: "storage_middleware",
        "storage",
        operation = call.operation.as_str(),
        step = ?call.step,
        backend = call.backend,
        path = call.path,
        bytes = field::Empty,
        attempts = field::Empty,
        error = field::Empty,
    )
}

/// A reader at work.
struct Read {
    backend: &'static str,
    path: ObjectPath,
    bytes: u64,
}

impl Read {
    fn passed(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
    }
}

impl Drop for Read {
    fn drop(&mut self) {
        debug!(
            target: "storage_middleware",
            operation = "read",
            backend = self.backend,
            path = %self.path,
            bytes = self.bytes,
            "reader ended"
        );
    }
}

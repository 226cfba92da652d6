//! Metrics of calls.

use std::future::Future;
use std::sync::Arc;
use std::time::Instant;

use metrics::{counter, histogram};
use storage_core::{Backend, ReadOptions, Reader, Result};

use crate::call::{Call, Reply, Step};
use crate::policy::Policy;
use crate::streams::{rebuilt, watched};

/// Counts calls, errors and bytes and times calls, by the `metrics` facade: a program installs the
/// recorder of its choice.
///
/// | Metric | Kind | Labels |
/// |---|---|---|
/// | `storage_calls_total` | counter, calls and openings | `backend`, `operation` |
/// | `storage_errors_total` | counter, steps that failed | `backend`, `operation`, `kind` |
/// | `storage_bytes_total` | counter, bytes handed in or out | `backend`, `operation` |
/// | `storage_call_duration_seconds` | histogram, calls, openings and finishes | `backend`, `operation`, `step` |
///
/// No label holds a path: their number stays bounded.
#[derive(Debug, Clone, Copy, Default)]
pub struct Metrics;

impl Policy for Metrics {
    async fn step<T: Reply>(
        &self,
        call: &Call<'_>,
        action: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        let begun = Instant::now();
        let outcome = action.await;
        let labels = [
            ("backend", call.backend),
            ("operation", call.operation.as_str()),
        ];
        if call.begins() {
            counter!("storage_calls_total", &labels).increment(1);
        }
        if let Some(step) = timed(call.step) {
            let labels = [labels[0], labels[1], ("step", step)];
            histogram!("storage_call_duration_seconds", &labels)
                .record(begun.elapsed().as_secs_f64());
        }
        match &outcome {
            Ok(reply) => {
                counter!("storage_bytes_total", &labels).increment(call.moved(reply.bytes()));
            }
            Err(error) => {
                let labels = [labels[0], labels[1], ("kind", error.kind().as_str())];
                counter!("storage_errors_total", &labels).increment(1);
            }
        }
        outcome
    }

    fn reader<B: Backend>(
        self: &Arc<Self>,
        backend: &Arc<B>,
        reader: Reader,
        _: &ReadOptions,
    ) -> Reader {
        let path = reader.info().path.clone();
        rebuilt(reader, |stream| {
            watched(stream, path, backend.name(), Arc::clone(self))
        })
    }
}

/// The name of a step that is timed.
const fn timed(step: Step) -> Option<&'static str> {
    match step {
        Step::Call => Some("call"),
        Step::Open => Some("open"),
        Step::Finish => Some("finish"),
        Step::Chunk | Step::Flush | Step::Abort => None,
    }
}

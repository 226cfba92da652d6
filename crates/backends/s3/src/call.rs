use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::failure::{Certainty, Failure};

/// Counts what a request has moved, so that one that stands still can be told from a slow one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Progress(Arc<AtomicU64>);

impl Progress {
    pub(crate) fn moved(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// When a request may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Whenever that may help: twice is the same as once.
    Freely,
    /// Only if it is certain that the one before did nothing.
    IfNotDone,
}

/// How long, and how often, requests are tried.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// Longest time without progress.
    pub(crate) timeout: Duration,
    pub(crate) max_attempts: u32,
}

impl Patience {
    /// Runs `attempt` until it succeeds or trying again makes no sense.
    pub(crate) async fn call<T, F>(
        self,
        name: &'static str,
        repeat: Repeat,
        mut attempt: impl FnMut(Progress) -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let (mut attempts, mut unknown) = (1, false);
        loop {
            let progress = Progress::default();
            let request = attempt(progress.clone());
            let result = match while_moving(self.timeout, &progress, request).await {
                Some(result) => result,
                None => Err(Failure::stalled("the request made no progress")),
            };
            let mut failure = match result {
                Ok(value) => {
                    tracing::debug!(request = name, attempts, "done");
                    return Ok(value);
                }
                Err(failure) => failure,
            };
            failure.after_unknown = unknown;
            unknown |= failure.certainty == Certainty::Unknown;
            let again = match repeat {
                Repeat::Freely => true,
                Repeat::IfNotDone => failure.certainty == Certainty::NotDone,
            };
            let transient = failure.error.is_transient() || failure.is_conflict();
            let status = failure.status;
            tracing::debug!(
                request = name,
                attempts,
                status,
                code = failure.code,
                "failed"
            );
            if !again || !transient || attempts >= self.max_attempts {
                return Err(failure);
            }
            tokio::time::sleep(backoff(attempts)).await;
            attempts += 1;
        }
    }
}

/// Up to 50 ms before the second attempt, doubled for each one, at most 3 s; at least half of it.
pub(crate) fn backoff(attempts: u32) -> Duration {
    let most = 50u64.saturating_mul(1 << attempts.min(6)).min(3000);
    Duration::from_millis(fastrand::u64(most / 2..=most))
}

/// The future's result, or `None` once nothing has moved for `timeout`.
pub(crate) async fn while_moving<T>(
    timeout: Duration,
    progress: &Progress,
    future: impl Future<Output = T>,
) -> Option<T> {
    let mut future = std::pin::pin!(future);
    let mut seen = progress.0.load(Ordering::Relaxed);
    loop {
        if let Ok(result) = tokio::time::timeout(timeout, &mut future).await {
            return Some(result);
        }
        let now = progress.0.load(Ordering::Relaxed);
        if now == seen {
            return None;
        }
        seen = now;
    }
}

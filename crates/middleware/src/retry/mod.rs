//! Trying again what failed for a while.

mod budget;
mod resuming;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use storage_core::{Backend, Error, Operation, ReadOptions, Reader, Result, Writer};

use crate::call::{Call, Repeat, Reply};
use crate::policy::{BoxFuture, Policy};
use budget::Budget;

/// Tries a call again that failed transiently, after a pause.
///
/// - Again means: the error [is transient](Error::is_transient), and the operation may be done twice
///   or certainly was not done. A `CreateNew`, `IfVersion` or `Append` write, a copy in these modes
///   and a rename are never repeated when their
///   [outcome is unknown](Error::outcome_unknown).
/// - The pause before the nth retry is a random part of `first_delay` × 2ⁿ⁻¹, at most `longest_delay`.
/// - A reader that breaks goes on at the same byte of the same version; if the object has changed, it
///   fails with `PreconditionFailed`. Each chunk that comes allows all attempts again. A reader
///   without a version, and one that verifies digests, fails at once.
/// - **A write through [`Backend::writer`] is not repeated**: its bytes are gone. Write a
///   [`Payload`](storage_core::Payload) for that; of a writer only the opening is tried again.
/// - All clones share a budget of retries, so that a store that is down is not asked a multiple of
///   what it was asked before.
/// - A deletion whose reply was lost and that is tried again says that there was an object.
#[derive(Debug, Clone)]
pub struct Retry {
    attempts: u32,
    first_delay: Duration,
    longest_delay: Duration,
    budget: Arc<Budget>,
}

impl Retry {
    /// 4 attempts, pauses up to 100 ms, 200 ms, 400 ms, a budget of 100 retries.
    #[must_use]
    pub fn new() -> Self {
        Self {
            attempts: 4,
            first_delay: Duration::from_millis(100),
            longest_delay: Duration::from_secs(10),
            budget: Arc::new(Budget::new(100)),
        }
    }

    /// Most attempts of one call, the first included; 0 counts as 1, which is no retry.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    /// The longest pause before the first retry; it doubles with each.
    #[must_use]
    pub const fn first_delay(mut self, delay: Duration) -> Self {
        self.first_delay = delay;
        self
    }

    /// The longest pause of all.
    #[must_use]
    pub const fn longest_delay(mut self, delay: Duration) -> Self {
        self.longest_delay = delay;
        self
    }

    /// How many retries all calls together may make. Ten calls that succeed give one back, so that in
    /// the long run at most one call in eleven is a retry.
    #[must_use]
    pub fn budget(mut self, retries: u32) -> Self {
        self.budget = Arc::new(Budget::new(retries));
        self
    }

    fn tries(&self) -> Tries {
        Tries {
            retry: self.clone(),
            made: 1,
        }
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self::new()
    }
}

/// The attempts of one call.
#[derive(Debug)]
struct Tries {
    retry: Retry,
    made: u32,
}

impl Tries {
    /// Pauses before another attempt; false when there may be none.
    async fn again(&mut self, error: &Error) -> bool {
        let retry = &self.retry;
        if !error.is_transient() || self.made >= retry.attempts || !retry.budget.take() {
            return false;
        }
        let doubled = 1u32.checked_shl(self.made - 1).unwrap_or(u32::MAX);
        let longest = retry
            .first_delay
            .saturating_mul(doubled)
            .min(retry.longest_delay);
        let delay = longest.mul_f64(fastrand::f64());
        #[cfg(feature = "tracing")]
        tracing::debug!(attempt = self.made, ?delay, %error, "trying again");
        tokio::time::sleep(delay).await;
        self.made += 1;
        true
    }

    /// After progress: all attempts are allowed again.
    fn progress(&mut self) {
        self.made = 1;
    }

    fn succeeded(&self) {
        self.retry.budget.give_back();
        #[cfg(feature = "tracing")]
        tracing::Span::current().record("attempts", self.made);
    }
}

impl Policy for Retry {
    async fn step<T: Reply>(
        &self,
        _: &Call<'_>,
        action: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        action.await
    }

    async fn call<'a, T: Reply>(
        &self,
        call: &Call<'_>,
        mut again: impl FnMut() -> BoxFuture<'a, Result<T>> + Send,
    ) -> Result<T> {
        let mut tries = self.tries();
        let mut may_be_done = false;
        loop {
            let outcome = again().await;
            let error = match outcome {
                Ok(reply) => {
                    tries.succeeded();
                    return Ok(match call.operation {
                        Operation::Delete if may_be_done => T::of_an_earlier_try().unwrap_or(reply),
                        _ => reply,
                    });
                }
                Err(error) => error,
            };
            let removed = call.operation == Operation::Rmdir && error.is_not_found();
            if let (true, true, Some(done)) = (may_be_done, removed, T::of_an_earlier_try()) {
                return Ok(done);
            }
            may_be_done |= error.outcome_unknown();
            let safe = match call.repeat {
                Repeat::Always => true,
                Repeat::WithoutEffect => !error.outcome_unknown(),
                Repeat::Never => false,
            };
            if !safe || !tries.again(&error).await {
                return Err(match may_be_done {
                    true => error.with_outcome_unknown(),
                    false => error,
                });
            }
        }
    }

    fn reader<B: Backend>(
        self: &Arc<Self>,
        backend: &Arc<B>,
        reader: Reader,
        options: &ReadOptions,
    ) -> Reader {
        resuming::resuming(self, backend, reader, options)
    }

    fn writer(self: &Arc<Self>, _: &'static str, writer: Writer) -> Writer {
        writer
    }
}

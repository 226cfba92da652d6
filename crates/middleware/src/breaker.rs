//! Leaving a store alone that does not answer.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use storage_core::{Error, ErrorKind, Result};
use tokio::time::Instant;

use crate::call::{Call, Reply};
use crate::policy::Policy;

/// Refuses calls for a time after so many in a row have failed transiently.
///
/// Closed, it passes calls and counts. After `failures` transient ones in a row it opens: calls fail
/// at once, transiently, with the kind of the failure that opened it. After `pause` it is half open:
/// one call is let through, which closes it by any answer, also `NotFound`, and opens it again by a
/// transient failure. Readers and writers that are open go on; how their steps end counts. All clones
/// share the state.
#[derive(Debug, Clone)]
pub struct CircuitBreaker {
    failures: u32,
    pause: Duration,
    state: Arc<Mutex<State>>,
}

/// Whether a [`CircuitBreaker`] passes calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Circuit {
    /// Calls pass.
    Closed,
    /// Calls are refused.
    Open,
    /// One call may pass.
    HalfOpen,
}

/// Longest pause: clocks cannot count all durations.
const CENTURY: Duration = Duration::from_secs(100 * 365 * 86_400);

#[derive(Debug, Clone, Copy)]
enum State {
    Closed {
        failed: u32,
    },
    Open {
        until: Instant,
        kind: ErrorKind,
    },
    /// One call is under way.
    Probing {
        kind: ErrorKind,
    },
}

impl CircuitBreaker {
    /// Opens after 5 failures in a row, for 30 seconds.
    #[must_use]
    pub fn new() -> Self {
        Self {
            failures: 5,
            pause: Duration::from_secs(30),
            state: Arc::new(Mutex::new(State::Closed { failed: 0 })),
        }
    }

    /// How many calls in a row have to fail; 0 counts as 1.
    #[must_use]
    pub fn failures(mut self, failures: u32) -> Self {
        self.failures = failures.max(1);
        self
    }

    /// How long calls are refused; more than a century counts as one.
    #[must_use]
    pub fn pause(mut self, pause: Duration) -> Self {
        self.pause = pause.min(CENTURY);
        self
    }

    /// Whether calls pass now.
    #[must_use]
    pub fn circuit(&self) -> Circuit {
        match *self.lock() {
            State::Closed { .. } => Circuit::Closed,
            State::Open { until, .. } if Instant::now() < until => Circuit::Open,
            State::Open { .. } | State::Probing { .. } => Circuit::HalfOpen,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic under the lock leaves a state like any other.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a call pass, as the probe where it is half open.
    fn admit(&self) -> Result<Option<Probe<'_>>> {
        let mut state = self.lock();
        let now = Instant::now();
        match *state {
            State::Closed { .. } => Ok(None),
            State::Open { until, kind } if now >= until => {
                *state = State::Probing { kind };
                Ok(Some(Probe(self)))
            }
            State::Open { until, kind } => {
                let wait = until.saturating_duration_since(now);
                Err(self.refusal(kind, &format_args!("the next try is in {wait:.1?}")))
            }
            State::Probing { kind } => {
                Err(self.refusal(kind, &format_args!("one call is trying now")))
            }
        }
    }

    fn refusal(&self, kind: ErrorKind, when: &dyn fmt::Display) -> Error {
        let message = format!("not asked: {} calls in a row failed; {when}", self.failures);
        Error::new(kind, message).with_transient(true)
    }

    fn count<T>(&self, outcome: &Result<T>) {
        let transient = outcome.as_ref().err().filter(|error| error.is_transient());
        let mut state = self.lock();
        *state = match (*state, transient) {
            (State::Closed { failed }, Some(error)) if failed + 1 >= self.failures => {
                self.opened(error.kind())
            }
            (State::Closed { failed }, Some(_)) => State::Closed { failed: failed + 1 },
            (State::Closed { .. }, None) => State::Closed { failed: 0 },
            // What began before it opened tells nothing new.
            (open, _) => open,
        };
    }

    fn opened(&self, kind: ErrorKind) -> State {
        State::Open {
            until: Instant::now() + self.pause,
            kind,
        }
    }
}

impl Default for CircuitBreaker {
    fn default() -> Self {
        Self::new()
    }
}

/// The one call that is let through half open. Dropped without an outcome, it leaves room for another.
struct Probe<'a>(&'a CircuitBreaker);

impl Probe<'_> {
    fn settle<T>(self, outcome: &Result<T>) {
        let transient = outcome.as_ref().err().filter(|error| error.is_transient());
        *self.0.lock() = match transient {
            Some(error) => self.0.opened(error.kind()),
            None => State::Closed { failed: 0 },
        };
    }
}

impl Drop for Probe<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        if let State::Probing { kind } = *state {
            *state = State::Open {
                until: Instant::now(),
                kind,
            };
        }
    }
}

impl Policy for CircuitBreaker {
    async fn step<T: Reply>(
        &self,
        call: &Call<'_>,
        action: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        let probe = match call.begins() {
            true => self.admit()?,
            false => None,
        };
        let outcome = action.await;
        match probe {
            Some(probe) => probe.settle(&outcome),
            None => self.count(&outcome),
        }
        outcome
    }
}

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_trait::async_trait;
use storage_core::{Error, Result};

use crate::{Call, Intercept, Point};

/// Fails some of the steps at a [`Point`] with a given error: one of them, every so many, or all.
///
/// The step does not happen; with [`after_effect`](Self::after_effect) it does and its reply is
/// lost. Failures of one chunk or of the finish of a writer are had with
/// [`Point::at`].
#[derive(Clone)]
pub struct Failing(Arc<Plan>);

struct Plan {
    point: Point,
    turn: Turn,
    lose_reply: bool,
    error: Box<dyn Fn() -> Error + Send + Sync>,
    /// Matching steps so far.
    seen: AtomicU64,
    stopped: AtomicBool,
}

#[derive(Debug, Clone, Copy)]
enum Turn {
    Nth(u64),
    Every(u64),
}

impl Failing {
    /// Fails the `n`th matching step, counted from 1, and no other.
    pub fn nth(n: u64, point: Point, error: impl Fn() -> Error + Send + Sync + 'static) -> Self {
        Self::new(Turn::Nth(n), point, error)
    }

    /// Fails every `n`th matching step; 0 is taken as 1.
    pub fn every(n: u64, point: Point, error: impl Fn() -> Error + Send + Sync + 'static) -> Self {
        Self::new(Turn::Every(n.max(1)), point, error)
    }

    /// Fails every matching step.
    pub fn always(point: Point, error: impl Fn() -> Error + Send + Sync + 'static) -> Self {
        Self::every(1, point, error)
    }

    fn new(turn: Turn, point: Point, error: impl Fn() -> Error + Send + Sync + 'static) -> Self {
        Self(Arc::new(Plan {
            point,
            turn,
            lose_reply: false,
            error: Box::new(error),
            seen: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
        }))
    }

    /// Fails after the step has had its effect, as when a reply is lost: the error says
    /// [`outcome_unknown`](Error::outcome_unknown). A step that fails by itself counts, but keeps
    /// its own error. To be called before the first clone is made; later it has no effect.
    #[must_use]
    pub fn after_effect(mut self) -> Self {
        if let Some(plan) = Arc::get_mut(&mut self.0) {
            plan.lose_reply = true;
        }
        self
    }

    /// How many matching steps there have been.
    #[must_use]
    pub fn seen(&self) -> u64 {
        self.0.seen.load(Ordering::Acquire)
    }

    /// Fails nothing any more.
    pub fn stop(&self) {
        self.0.stopped.store(true, Ordering::Release);
    }

    fn strike(&self, call: &Call<'_>) -> Result<()> {
        let plan = &*self.0;
        if !plan.point.matches(call) {
            return Ok(());
        }
        let count = plan.seen.fetch_add(1, Ordering::AcqRel) + 1;
        let hit = match plan.turn {
            Turn::Nth(n) => count == n,
            Turn::Every(n) => count.is_multiple_of(n),
        };
        if !hit || plan.stopped.load(Ordering::Acquire) {
            return Ok(());
        }
        let error = (plan.error)();
        Err(if plan.lose_reply {
            error.with_outcome_unknown()
        } else {
            error
        })
    }
}

#[async_trait]
impl Intercept for Failing {
    async fn before(&self, call: &mut Call<'_>) -> Result<()> {
        if self.0.lose_reply {
            return Ok(());
        }
        self.strike(call)
    }

    async fn after(&self, call: &Call<'_>, _: Result<u64, &Error>) -> Result<()> {
        if self.0.lose_reply {
            return self.strike(call);
        }
        Ok(())
    }

    fn watches_readers(&self) -> bool {
        self.0.point.is_chunk()
    }
}

impl fmt::Debug for Failing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failing")
            .field("point", &self.0.point)
            .field("turn", &self.0.turn)
            .field("lose_reply", &self.0.lose_reply)
            .field("seen", &self.seen())
            .finish_non_exhaustive()
    }
}

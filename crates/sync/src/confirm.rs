//! Asking somebody before each change.

use std::fmt;
use std::sync::Arc;

use storage_core::async_trait;

use crate::Action;

/// What to do with an action that somebody was asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Answer {
    /// Do it.
    Yes,
    /// Leave it; it is reported as skipped.
    No,
    /// Leave it, and end the run like a cancelled one.
    Quit,
}

/// Decides on each action of a run that changes something, before it is applied.
///
/// The run waits for the answer. It is not asked in a dry run.
#[async_trait]
pub trait Confirm: Send + Sync {
    /// Decides on one action. Must not block the thread.
    async fn confirm(&self, action: &Action) -> Answer;
}

/// A shared [`Confirm`]: [`Options::confirm`](crate::Options::confirm). Equal only to its clones.
#[derive(Clone)]
pub struct Confirmation(Arc<dyn Confirm>);

impl Confirmation {
    /// Has `confirm` decide.
    #[must_use]
    pub fn new(confirm: Arc<dyn Confirm>) -> Self {
        Self(confirm)
    }

    pub(crate) async fn ask(&self, action: &Action) -> Answer {
        self.0.confirm(action).await
    }
}

impl PartialEq for Confirmation {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Confirmation {}

impl fmt::Debug for Confirmation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Confirmation").finish_non_exhaustive()
    }
}

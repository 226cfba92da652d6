use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_util::stream;
use storage_core::{ObjectInfo, Operation};

use crate::plan_file::Saved;
use crate::planner::{Item, Planner, Scope};
use crate::summary::Tally;
use crate::{Action, Event, Failure, Job, SyncError};

/// The actions that a job takes, in the order of the keys: what [`Job::plan`] returns.
///
/// An error of one object does not end the stream; a failed listing does. The checks on deletions as
/// a whole come last, as errors, since only the end tells how many there are.
pub struct Plan(Pin<Box<dyn Stream<Item = Result<Action, Failure>> + Send>>);

impl Plan {
    pub(crate) fn new(job: Job) -> Self {
        let passes = Passes::new(Arc::new(job), Arc::new(Tally::new()));
        Self(Box::pin(stream::unfold(passes, |mut passes| async move {
            loop {
                match passes.next().await? {
                    Ok(Step::Act(work)) => return Some((Ok(work.action), passes)),
                    Ok(Step::Checked(_)) => {}
                    Err(problem) => return Some((Err(problem.failure), passes)),
                }
            }
        })))
    }

    /// The next action, `None` at the end. Cancel safe.
    pub async fn next(&mut self) -> Option<Result<Action, Failure>> {
        std::future::poll_fn(|cx| self.0.as_mut().poll_next(cx)).await
    }
}

impl Stream for Plan {
    type Item = Result<Action, Failure>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(cx)
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan").finish_non_exhaustive()
    }
}

/// The steps of all passes of a job.
pub(crate) struct Passes {
    job: Arc<Job>,
    tally: Arc<Tally>,
    planner: Planner,
    scopes: std::slice::Iter<'static, Scope>,
}

impl Passes {
    pub(crate) fn new(job: Arc<Job>, tally: Arc<Tally>) -> Self {
        let mut scopes = job.passes().iter();
        let first = scopes.next().copied().unwrap_or(Scope::All);
        Self {
            planner: Planner::new(Arc::clone(&job), Arc::clone(&tally), first),
            job,
            tally,
            scopes,
        }
    }

    pub(crate) async fn next(&mut self) -> Option<Item> {
        loop {
            match self.planner.next().await {
                Some(Err(problem)) if problem.fatal => {
                    self.scopes = [].iter();
                    return Some(Err(problem));
                }
                Some(item) => return Some(item),
                None => {
                    let scope = *self.scopes.next()?;
                    let (job, tally) = (Arc::clone(&self.job), Arc::clone(&self.tally));
                    self.planner = Planner::new(job, tally, scope);
                }
            }
        }
    }
}

/// An action with what is needed to apply it.
#[derive(Debug, Clone)]
pub(crate) struct Work {
    pub(crate) action: Action,
    /// The source's object as it was listed.
    pub(crate) source: Option<Box<ObjectInfo>>,
    /// What it was planned for, where the plan was saved.
    pub(crate) expected: Option<Box<Saved>>,
    /// Another tree's object of the same content, to be copied instead.
    pub(crate) copy: Option<Box<Twin>>,
    /// What became of it so far.
    pub(crate) progress: Progress,
}

/// What of an action is not to be done again by another try.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Progress {
    /// Its bytes are counted against the limit on transfers.
    pub(crate) is_admitted: bool,
    /// What it replaces or deletes was kept: whether there was anything.
    pub(crate) kept: Option<bool>,
}

/// An object that is the same as the source's, and the job that copies it to the destination.
#[derive(Debug, Clone)]
pub(crate) struct Twin {
    pub(crate) job: Arc<Job>,
    pub(crate) listed: ObjectInfo,
}

impl Work {
    /// Whether it is a transfer, to which the limits on transfers apply.
    pub(crate) const fn sends(&self) -> bool {
        matches!(
            self.action,
            Action::Create { .. } | Action::Update { .. } | Action::Rename { .. }
        )
    }
}

impl From<Action> for Work {
    fn from(action: Action) -> Self {
        Self {
            action,
            source: None,
            expected: None,
            copy: None,
            progress: Progress::default(),
        }
    }
}

/// What the planner gives.
#[derive(Debug)]
pub(crate) enum Step {
    Act(Work),
    /// An event of a check.
    Checked(Event),
}

/// A failure while planning.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) failure: Failure,
    /// Whether the plan is not to be trusted as a whole, so that nothing may be deleted by it.
    pub(crate) fatal: bool,
}

impl Step {
    /// An action on a source object.
    pub(crate) fn sending(action: Action, source: ObjectInfo) -> Self {
        Self::Act(Work {
            action,
            source: Some(Box::new(source)),
            expected: None,
            copy: None,
            progress: Progress::default(),
        })
    }
}

impl Problem {
    pub(crate) const fn of_object(failure: Failure) -> Self {
        Self {
            failure,
            fatal: false,
        }
    }

    pub(crate) fn of_run(operation: Operation, error: SyncError) -> Self {
        Self {
            failure: Failure::new(None, operation, error),
            fatal: true,
        }
    }
}

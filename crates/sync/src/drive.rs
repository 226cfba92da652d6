//! The course of one run: transfers as they are planned, then removals and deletions, then the flush.

use std::sync::Arc;

use storage_core::Operation;
use tokio::sync::watch;

use crate::apply::Applier;
use crate::arena::Arena;
use crate::plan::{Problem, Step, Work};
use crate::planner::Planner;
use crate::pool::Pool;
use crate::report::Events;
use crate::summary::Tally;
use crate::{Action, Command, Event, Failure, Fsync, Job, SyncError};

/// Sources of a move that wait for one flush of the destination.
const ARRIVED: usize = 4096;

/// Runs the job to its end, or until it is cancelled. All tasks have ended when this returns.
pub(crate) async fn drive(
    job: Arc<Job>,
    tally: Arc<Tally>,
    events: Arc<Events>,
    mut cancelled: watch::Receiver<bool>,
) {
    let applier = Arc::new(Applier::new(
        Arc::clone(&job),
        Arc::clone(&tally),
        Arc::clone(&events),
    ));
    let mut driver = Driver {
        pool: None,
        applier,
        events,
        tally,
        job,
        doomed: Doomed::default(),
    };
    tokio::select! {
        biased;
        // Fails when the run is gone, and then this task is about to be aborted.
        _ = cancelled.wait_for(|cancelled| *cancelled) => {}
        () = driver.run() => {}
    }
    if let Some(pool) = driver.pool.take() {
        pool.abort().await;
    }
}

/// What the end of a sync deletes, known only when the plan is complete.
#[derive(Debug, Default)]
struct Doomed {
    objects: Arena,
    directories: Vec<Work>,
}

struct Driver {
    job: Arc<Job>,
    tally: Arc<Tally>,
    applier: Arc<Applier>,
    events: Arc<Events>,
    pool: Option<Pool>,
    doomed: Doomed,
}

impl Driver {
    async fn run(&mut self) {
        let started = Event::Started {
            comparison: self.job.comparison(),
            dry_run: self.job.options.dry_run,
        };
        self.events.push(started).await;
        let is_sound = self.follow_plan().await;
        self.finish_pool().await;
        self.remove_arrived().await;
        self.finish_pool().await;
        self.delete(is_sound).await;
        self.send_blocked().await;
        if self.job.options.fsync != Fsync::None && self.tally.has_changes() {
            self.flush().await;
        }
    }

    /// Applies the plan but for its deletions; `false` when it is not to be trusted as a whole.
    async fn follow_plan(&mut self) -> bool {
        let mut planner = Planner::new(Arc::clone(&self.job), Arc::clone(&self.tally));
        let mut is_sound = true;
        while let Some(item) = planner.next().await {
            match item {
                Ok(Step::Act(work)) => self.take(work).await,
                Ok(Step::Checked(event)) => self.checked(event).await,
                Err(Problem { failure, fatal }) => {
                    is_sound &= !fatal;
                    self.fail(failure).await;
                }
            }
            if self.applier.count_arrived() >= ARRIVED {
                self.remove_arrived().await;
            }
        }
        is_sound
    }

    async fn take(&mut self, work: Work) {
        self.events.push(Event::Planned(work.action.clone())).await;
        if self.job.options.dry_run {
            return self.pretend(&work.action);
        }
        match &work.action {
            Action::Skip { .. } => self.tally.skipped(1),
            Action::Delete { path, size } => self.doomed.objects.push(path, *size),
            Action::Rmdir { .. } | Action::RmdirSource { .. } => self.doomed.directories.push(work),
            Action::RemoveSource { path } => {
                if let Some(source) = work.source {
                    self.applier.note_arrived(path, *source);
                }
            }
            _ => self.apply(work).await,
        }
    }

    /// Counts an action of a dry run.
    fn pretend(&self, action: &Action) {
        self.tally.done(action, action.bytes());
        let sends = matches!(
            action,
            Action::Create { .. } | Action::Update { .. } | Action::SetModified { .. }
        );
        if sends && self.job.command == Command::Move {
            self.tally.removed_from_source(1);
        }
    }

    async fn checked(&mut self, event: Event) {
        match &event {
            Event::Match { .. } => self.tally.matches(1),
            Event::Differ { .. } => self.tally.differs(1),
            Event::MissingOnSource { .. } => self.tally.missing_on_source(1),
            Event::MissingOnDestination { .. } => self.tally.missing_on_destination(1),
            _ => {}
        }
        self.events.push(event).await;
    }

    /// Hands an action to the workers.
    async fn apply(&mut self, work: Work) {
        let (applier, workers) = (&self.applier, self.job.options.transfers);
        let start = || Pool::start(applier, workers);
        let pushed = self.pool.get_or_insert_with(start).push(work).await;
        if let Err(error) = pushed {
            self.fail(Failure::new(None, Operation::Write, error)).await;
        }
    }

    /// Waits until all that was handed to the workers is done.
    async fn finish_pool(&mut self) {
        let Some(pool) = &mut self.pool else {
            return;
        };
        let finished = pool.finish().await;
        self.pool = None;
        if let Err(error) = finished {
            self.fail(Failure::new(None, Operation::Write, error)).await;
        }
    }

    /// Removes the sources that have arrived, once what arrived is durable.
    async fn remove_arrived(&mut self) {
        let arrived = self.applier.take_arrived();
        if arrived.is_empty() || !self.flush().await {
            return;
        }
        for work in arrived {
            self.apply(work).await;
        }
    }

    /// Deletes what the plan says, if everything before went well.
    async fn delete(&mut self, is_sound: bool) {
        let Doomed {
            objects,
            directories,
        } = std::mem::take(&mut self.doomed);
        let count = objects.len() + directories.len() as u64;
        if count == 0 {
            return;
        }
        let failed = self.tally.has_failures() && !self.job.options.ignore_errors;
        let withheld = self.job.command == Command::Sync && (!is_sound || failed);
        // What was sent replaces what is deleted, a file under its new name for one: it has to be
        // safe before.
        let unsafe_yet = self.job.options.fsync == Fsync::End && self.tally.has_changes();
        if withheld || (unsafe_yet && !self.flush().await) {
            return self.tally.deletions_withheld(count);
        }
        for path in objects.into_paths() {
            match path {
                Ok((path, size)) => self.apply(Action::Delete { path, size }.into()).await,
                Err(error) => {
                    let failure = Failure::new(None, Operation::Delete, error.into());
                    self.fail(failure).await;
                }
            }
        }
        self.finish_pool().await;
        // The deepest first: a directory is empty once those in it are gone.
        for work in directories.into_iter().rev() {
            self.applier.apply(work).await;
        }
    }

    /// Sends what something of the other kind was in the way of.
    async fn send_blocked(&mut self) {
        for work in self.applier.take_blocked() {
            self.apply(work).await;
        }
        self.finish_pool().await;
    }

    /// Makes what was written durable; `false` when that failed.
    async fn flush(&mut self) -> bool {
        let flushed = match self.job.destination.backend().as_extended() {
            Some(extended) => extended.flush().await,
            None => Ok(()),
        };
        let Err(error) = flushed else {
            return true;
        };
        let error = SyncError::from(error);
        self.fail(Failure::new(None, Operation::Flush, error)).await;
        false
    }

    async fn fail(&mut self, failure: Failure) {
        self.tally.fail(&failure);
        self.events.push(Event::Failed(failure)).await;
    }
}

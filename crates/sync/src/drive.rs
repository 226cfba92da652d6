//! The course of one run: transfers as they are planned, then removals and deletions, then the flush.

use std::sync::Arc;

use storage_core::Operation;
use tokio::sync::watch;

use crate::apply::Applier;
use crate::arena::{Arena, Entry};
use crate::order::Backlog;
use crate::plan::{Problem, Step, Work};
use crate::planner::{Item, Planner, Scope};
use crate::pool::Pool;
use crate::report::Events;
use crate::summary::Tally;
use crate::{
    Action, Answer, Command, DeleteTiming, Event, Failure, Fsync, Job, SavedPlan, SkipReason,
    SyncError,
};

/// Sources of a move that wait for one flush of the destination.
const ARRIVED: usize = 4096;

/// Runs the job to its end, until a limit cuts it off, or until it is cancelled. All tasks have ended
/// when this returns.
pub(crate) async fn drive(
    job: Arc<Job>,
    tally: Arc<Tally>,
    events: Arc<Events>,
    cancel: watch::Sender<bool>,
) {
    let applier = Arc::new(Applier::new(
        Arc::clone(&job),
        Arc::clone(&tally),
        Arc::clone(&events),
    ));
    let order = job.options.order_by;
    let mut cancelled = cancel.subscribe();
    let mut driver = Driver {
        pool: None,
        backlog: order.map(|order| Backlog::new(order, job.options.max_backlog)),
        applier: Arc::clone(&applier),
        events,
        tally,
        job,
        doomed: Doomed::default(),
        dated: Arena::default(),
        cancel,
    };
    tokio::select! {
        biased;
        // Cannot fail: the driver has the sender.
        _ = cancelled.wait_for(|cancelled| *cancelled) => {}
        () = applier.flow.limits.cut() => {}
        () = driver.run() => {}
    }
    if let Some(pool) = driver.pool.take() {
        pool.abort().await;
    }
    if let Some(error) = applier.flow.limits.error() {
        driver
            .fail(Failure::new(None, Operation::Write, error))
            .await;
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
    /// Transfers that wait for their turn, where there is an order.
    backlog: Option<Backlog>,
    doomed: Doomed,
    /// Directories whose times are set when nothing in them changes any more.
    dated: Arena,
    cancel: watch::Sender<bool>,
}

impl Driver {
    async fn run(&mut self) {
        let started = Event::Started {
            comparison: self.job.comparison(),
            dry_run: self.job.options.dry_run,
        };
        self.events.push(started).await;
        let is_sound = self.follow_passes().await;
        self.send_backlog().await;
        self.finish_pool().await;
        self.remove_arrived().await;
        self.finish_pool().await;
        self.delete(is_sound).await;
        self.send_blocked().await;
        self.set_directory_times().await;
        if self.job.options.fsync != Fsync::None && self.tally.has_changes() {
            self.flush().await;
        }
    }

    /// Applies the plan but for its last deletions; `false` when it is not to be trusted as a whole.
    async fn follow_passes(&mut self) -> bool {
        let job = Arc::clone(&self.job);
        if let Some(saved) = &job.saved {
            return self.follow_saved(saved).await;
        }
        if self.counts_first() && !self.count().await {
            return false;
        }
        for scope in self.job.passes() {
            let is_sound = self.follow(*scope).await;
            if *scope != Scope::Deletions {
                return is_sound;
            }
            if !is_sound {
                break;
            }
            self.delete(true).await;
        }
        false
    }

    /// Applies a saved plan, whose deletions come last; `false` when it could not be read to its end.
    async fn follow_saved(&mut self, saved: &SavedPlan) -> bool {
        let mut steps = match saved.steps().await {
            Ok(steps) => steps,
            Err(error) => {
                self.fail(Failure::new(None, Operation::Read, error)).await;
                return false;
            }
        };
        let (job, applier) = (Arc::clone(&self.job), Arc::clone(&self.applier));
        let mut is_deleting = None;
        let mut reached = Box::pin(applier.flow.limits.reached());
        loop {
            let item = tokio::select! {
                biased;
                () = &mut reached => return false,
                item = steps.next(&job) => item,
            };
            let Some(item) = item else {
                return true;
            };
            let deletes = |work: &Work| matches!(work.action, Action::Delete { .. });
            if matches!(&item, Ok(Step::Act(work)) if deletes(work)) {
                let may_delete = match is_deleting {
                    Some(may_delete) => may_delete,
                    None => *is_deleting.insert(self.may_delete().await),
                };
                if !may_delete {
                    self.tally.deletions_withheld(1);
                    continue;
                }
            }
            if !self.handle(item).await {
                return false;
            }
            if self.applier.count_arrived() >= ARRIVED {
                self.remove_arrived().await;
            }
        }
    }

    /// Ends all that was begun, and judges whether anything may be deleted after it.
    async fn may_delete(&mut self) -> bool {
        self.send_backlog().await;
        self.finish_pool().await;
        let unsafe_yet = self.job.options.fsync == Fsync::End && self.tally.has_changes();
        !self.is_deletion_withheld() && (!unsafe_yet || self.flush().await)
    }

    /// Whether deletions begin before the end of the plan although that decides on them.
    fn counts_first(&self) -> bool {
        let options = &self.job.options;
        let during = options.delete_timing == DeleteTiming::During;
        during && options.limits_deletions() && !options.dry_run
    }

    /// Counts the deletions of the plan; `false` when they are not allowed. Failures of single objects
    /// are left to the pass that deletes.
    async fn count(&mut self) -> bool {
        let (job, tally) = (Arc::clone(&self.job), Arc::clone(&self.tally));
        let mut planner = Planner::new(job, tally, Scope::Deletions);
        let mut is_sound = true;
        while let Some(item) = planner.next().await {
            if let Err(Problem {
                failure,
                fatal: true,
            }) = item
            {
                is_sound = false;
                self.fail(failure).await;
            }
        }
        is_sound
    }

    /// Applies what one pass finds; `false` when it is not to be trusted as a whole.
    async fn follow(&mut self, scope: Scope) -> bool {
        let (job, tally) = (Arc::clone(&self.job), Arc::clone(&self.tally));
        let during = job.options.delete_timing == DeleteTiming::During;
        let mut planner = Planner::new(job, tally, scope);
        let mut is_sound = true;
        let applier = Arc::clone(&self.applier);
        let mut reached = Box::pin(applier.flow.limits.reached());
        loop {
            let item = tokio::select! {
                biased;
                () = &mut reached => return false,
                item = planner.next() => item,
            };
            let Some(item) = item else {
                return is_sound;
            };
            is_sound &= self.handle(item).await;
            if during && is_sound && planner.source_has_objects() {
                self.delete_so_far().await;
            }
            if self.applier.count_arrived() >= ARRIVED {
                self.remove_arrived().await;
            }
        }
    }

    /// Takes up one item; `false` when the plan is not to be trusted any more.
    async fn handle(&mut self, item: Item) -> bool {
        match item {
            Ok(Step::Act(work)) => self.take(work).await,
            Ok(Step::Checked(event)) => self.checked(event).await,
            Err(Problem { failure, fatal }) => {
                self.fail(failure).await;
                return !fatal;
            }
        }
        true
    }

    async fn take(&mut self, work: Work) {
        self.events.push(Event::Planned(work.action.clone())).await;
        if self.job.options.dry_run {
            return self.pretend(&work.action);
        }
        if !self.is_confirmed(&work.action).await {
            return self.applier.skip(&work, SkipReason::Declined).await;
        }
        match &work.action {
            Action::Skip { .. } => self.tally.skipped(1),
            Action::Delete { path, size } if work.expected.is_none() => {
                self.doomed.objects.push(path, *size, None);
            }
            Action::Rmdir { .. } | Action::RmdirSource { .. } => self.doomed.directories.push(work),
            Action::RemoveSource { .. } => self.applier.note(work),
            Action::SetDirModified { path, modified } => {
                self.dated.push(path, None, Some(*modified));
            }
            _ => self.enqueue(work).await,
        }
    }

    /// Whether the action may be applied, as far as anybody is to be asked.
    async fn is_confirmed(&self, action: &Action) -> bool {
        let Some(confirm) = &self.job.options.confirm else {
            return true;
        };
        match action {
            Action::Skip { .. } => true,
            action => match confirm.ask(action).await {
                Answer::Yes => true,
                Answer::No => false,
                Answer::Quit => {
                    self.cancel.send_replace(true);
                    std::future::pending().await
                }
            },
        }
    }

    /// Hands an action to the workers when it is its turn.
    async fn enqueue(&mut self, work: Work) {
        let next = match &mut self.backlog {
            Some(backlog) if work.sends() => backlog.push(work),
            _ => Some(work),
        };
        if let Some(work) = next {
            self.apply(work).await;
        }
    }

    /// Sends what waits for its turn.
    async fn send_backlog(&mut self) {
        while let Some(work) = self.backlog.as_mut().and_then(Backlog::pop) {
            self.apply(work).await;
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
            Event::Hashed { .. } => self.tally.hashed(1),
            Event::Differ { .. } => self.tally.differs(1),
            // A copy leaves it alone, which is no difference to report at the end.
            Event::MissingOnSource { .. } if !self.job.command.compares() => {}
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

    /// Deletes the objects that are known to be deleted, while the plan goes on.
    async fn delete_so_far(&mut self) {
        if self.doomed.objects.is_empty() || self.is_deletion_withheld() {
            return;
        }
        let objects = std::mem::take(&mut self.doomed.objects);
        self.delete_objects(objects).await;
    }

    /// Deletes what the plan says, if everything before went well.
    async fn delete(&mut self, is_sound: bool) {
        let Doomed {
            objects,
            directories,
        } = std::mem::take(&mut self.doomed);
        let count = (objects.len() + directories.len()) as u64;
        if count == 0 {
            return;
        }
        let withheld = match self.job.command {
            Command::Sync => !is_sound || self.is_deletion_withheld(),
            Command::Delete => !is_sound,
            _ => self.applier.flow.limits.is_reached(),
        };
        // What was sent replaces what is deleted, a file under its new name for one: it has to be
        // safe before.
        let unsafe_yet = self.job.options.fsync == Fsync::End && self.tally.has_changes();
        if withheld || (unsafe_yet && !self.flush().await) {
            return self.tally.deletions_withheld(count);
        }
        self.delete_objects(objects).await;
        self.finish_pool().await;
        // The deepest first: a directory is empty once those in it are gone.
        for work in directories.into_iter().rev() {
            self.applier.apply(work).await;
        }
    }

    fn is_deletion_withheld(&self) -> bool {
        let limited = self.applier.flow.limits.is_reached();
        limited || (self.tally.has_failures() && !self.job.options.ignore_errors)
    }

    async fn delete_objects(&mut self, objects: Arena) {
        for entry in objects.into_entries() {
            match entry {
                Ok(Entry { path, size, .. }) => {
                    self.apply(Action::Delete { path, size }.into()).await;
                }
                Err(error) => {
                    let failure = Failure::new(None, Operation::Delete, error.into());
                    self.fail(failure).await;
                }
            }
        }
    }

    /// Sends what something of the other kind was in the way of.
    async fn send_blocked(&mut self) {
        for work in self.applier.take_blocked() {
            self.apply(work).await;
        }
        self.finish_pool().await;
    }

    async fn set_directory_times(&mut self) {
        for entry in std::mem::take(&mut self.dated).into_entries().flatten() {
            let path = entry.path;
            if let Some(modified) = entry.modified {
                self.apply(Action::SetDirModified { path, modified }.into())
                    .await;
            }
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
        self.applier.flow.limits.failures(self.tally.fail(&failure));
        self.events.push(Event::Failed(failure)).await;
    }
}

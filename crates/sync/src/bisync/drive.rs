//! The course of one run: lock, plan, guards, transfers, deletions, conflicts, and last the state.

use std::collections::BTreeMap;
use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::SystemTime;

use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use storage_core::Operation;
use tokio::sync::{Semaphore, watch};

use super::apply::{Applier, Outcome};
use super::decision::Decision;
use super::journal::Journal;
use super::layers::Layers;
use super::lock::Lock;
use super::pair::Pair;
use super::planner::{Planner, Spool, Supply};
use super::record::Record;
use super::settle::Planned;
use super::store::Store;
use super::{BisyncError, Resolve};
use crate::flow::Flow;
use crate::report::Events;
use crate::summary::Tally;
use crate::task::Task;
use crate::{Event, Failure, SyncError};

/// Decisions that wait behind one that takes long, so that what is remembered stays in order.
const WINDOW: usize = 1024;

/// What a run works with.
#[derive(Debug)]
pub(crate) struct Driver {
    pub(crate) pair: Arc<Pair>,
    pub(crate) store: Store,
    applier: Arc<Applier>,
    cancelled: watch::Receiver<bool>,
}

/// The plan, by the order in which it is applied.
#[derive(Debug, Default)]
struct Phases {
    sends: Spool,
    deletions: Spool,
    /// Directories to remove, which are kept apart because the deepest go first.
    directories: Vec<Planned>,
    conflicts: Spool,
    count_deletions: u64,
}

impl Driver {
    pub(crate) fn new(
        pair: Arc<Pair>,
        store: Store,
        tally: Arc<Tally>,
        events: Arc<Events>,
        cancelled: watch::Receiver<bool>,
    ) -> Self {
        let transfers = Arc::new(Semaphore::new(pair.options.common.transfers));
        let applier = Arc::new(Applier {
            flow: Flow::new(&pair.options.common),
            keepers: pair.keepers(),
            pair: Arc::clone(&pair),
            tally,
            events,
            transfers,
        });
        Self {
            pair,
            store,
            applier,
            cancelled,
        }
    }

    /// Runs to the end, or until cancelled. All tasks have ended when this returns.
    pub(crate) async fn drive(self) {
        let common = &self.pair.options.common;
        let started = Event::Started {
            comparison: common.comparison,
            dry_run: common.dry_run,
        };
        self.applier.events.push(started).await;
        let done = if common.dry_run {
            self.dry_run().await
        } else {
            self.run().await
        };
        if let Err(error) = done {
            let operation = match &error {
                SyncError::Storage(error) => error.operation().unwrap_or(Operation::List),
                _ => Operation::List,
            };
            let failure = Failure::new(None, operation, error);
            self.applier.tally.fail(&failure);
            self.applier.events.push(Event::Failed(failure)).await;
        }
    }

    async fn dry_run(&self) -> Result<(), SyncError> {
        let state = match self.pair.options.resync {
            Some(_) => None,
            None => Some(self.store.open().await?.0),
        };
        self.unless_cancelled(self.plan(state)).await.map(drop)
    }

    async fn run(&self) -> Result<(), SyncError> {
        let lock = Lock::acquire(&self.store, self.pair.options.max_lock).await?;
        let done = tokio::select! {
            biased;
            lost = lock.lost() => Err(lost),
            done = self.run_locked() => done,
        };
        self.wait_until_idle().await;
        let released = lock.release().await;
        done.and(released)
    }

    async fn run_locked(&self) -> Result<(), SyncError> {
        let opened = self.unless_cancelled(self.open()).await?;
        let Some((state, generation)) = opened else {
            return Ok(());
        };
        let sides = [&self.pair.sides[0], &self.pair.sides[1]];
        let mut journal = Journal::new(&self.store, sides, generation);
        let ended = self.unless_cancelled(self.apply(state, &mut journal)).await;
        self.wait_until_idle().await;
        let is_resync = self.pair.options.resync.is_some();
        let is_complete = matches!(&ended, Ok(Some(())));
        if is_resync && !is_complete {
            // Both sides are as good as before, but are not yet known to have been the same.
            self.store.remove_journals(Some(generation)).await?;
            return ended.map(drop);
        }
        journal.publish().await?;
        if is_complete && (is_resync || !journal.is_empty()) {
            self.put_together(is_resync, generation).await?;
        }
        ended.map(drop)
    }

    /// The state as the last run has left it, and the generation that journals belong to. What a run
    /// that broke off has left is put together first.
    async fn open(&self) -> Result<(Option<Layers>, u64), SyncError> {
        if self.pair.options.resync.is_some() {
            return Ok((None, new_generation()));
        }
        let (state, generation) = self.store.open().await?;
        if !self.store.has_journals().await? {
            return Ok((Some(state), generation));
        }
        self.store.compact(state, new_generation()).await?;
        let (state, generation) = self.store.open().await?;
        Ok((Some(state), generation))
    }

    async fn put_together(&self, is_resync: bool, generation: u64) -> Result<(), SyncError> {
        let layers = match is_resync {
            true => self.store.journal_layers(generation).await?,
            false => self.store.open().await?.0,
        };
        self.store.compact(layers, new_generation()).await
    }

    async fn apply(
        &self,
        state: Option<Layers>,
        journal: &mut Journal<'_>,
    ) -> Result<(), SyncError> {
        let options = &self.pair.options;
        let has_nothing_to_judge = options.resync.is_some() && options.check_access.is_none();
        let (mut phases, sends) = if has_nothing_to_judge {
            let planner = Planner::new(Arc::clone(&self.pair), state);
            (Phases::default(), Supply::Live(Box::new(planner)))
        } else {
            let mut phases = self.plan(state).await?;
            let sends = std::mem::take(&mut phases.sends);
            (phases, sends.into_supply())
        };
        let is_live = matches!(sends, Supply::Live(_));
        let mut blocked = Vec::new();
        self.follow(sends, is_live, journal, &mut blocked).await?;
        self.delete(&mut phases, journal).await?;
        journal.next_sequence().await?;
        self.finish(phases.conflicts, blocked, journal).await
    }

    /// Decides on everything, then judges it as a whole.
    async fn plan(&self, state: Option<Layers>) -> Result<Phases, SyncError> {
        let mut planner = Planner::new(Arc::clone(&self.pair), state);
        let mut phases = Phases::default();
        while let Some(planned) = planner.next(&self.store).await? {
            match planned.decision {
                Decision::Delete(_) => {
                    phases.count_deletions += 1;
                    phases.deletions.push(&planned);
                }
                Decision::Rmdir(_) => phases.directories.push(planned.clone()),
                Decision::KeepBoth(_) | Decision::Leave => phases.conflicts.push(&planned),
                _ => phases.sends.push(&planned),
            }
            self.announce(&planned).await;
        }
        planner.census.judge(&self.pair)?;
        Ok(phases)
    }

    async fn announce(&self, planned: &Planned) {
        let Some(action) = planned.action() else {
            return;
        };
        if self.pair.options.common.dry_run {
            self.applier.tally.done(&action, action.bytes());
        }
        self.applier.events.push(Event::Planned(action)).await;
    }

    /// Applies one decision after another and writes down what came of it.
    async fn follow(
        &self,
        mut supply: Supply,
        announce: bool,
        journal: &mut Journal<'_>,
        blocked: &mut Vec<Planned>,
    ) -> Result<(), SyncError> {
        let mut window = FuturesOrdered::<Task<Outcome>>::new();
        let mut is_done = false;
        loop {
            while !is_done && window.len() < WINDOW {
                let Some(planned) = supply.next(&self.store).await? else {
                    is_done = true;
                    break;
                };
                if announce {
                    self.announce(&planned).await;
                }
                let applier = Arc::clone(&self.applier);
                window.push_back(Task::spawn(applier.apply(planned, false)));
            }
            let Some(outcome) = window.next().await else {
                return Ok(());
            };
            match outcome.map_err(|error| SyncError::Task(error.to_string()))? {
                Outcome::Done(records) => {
                    for record in records {
                        journal.push(record).await?;
                    }
                }
                Outcome::Blocked(planned) => blocked.push(planned),
                Outcome::Failed => {}
            }
        }
    }

    /// Deletes, if everything before went well.
    async fn delete(
        &self,
        phases: &mut Phases,
        journal: &mut Journal<'_>,
    ) -> Result<(), SyncError> {
        let count = phases.count_deletions + phases.directories.len() as u64;
        if count == 0 {
            return Ok(());
        }
        let tally = &self.applier.tally;
        if tally.has_failures() && !self.pair.options.common.ignore_errors {
            tally.deletions_withheld(count);
            return Ok(());
        }
        // What was sent may be what is deleted, under its new name: it has to be safe before.
        journal.next_sequence().await?;
        let deletions = std::mem::take(&mut phases.deletions).into_supply();
        let mut blocked = Vec::new();
        self.follow(deletions, false, journal, &mut blocked).await?;
        journal.next_sequence().await?;
        let mut removed = Vec::new();
        for planned in std::mem::take(&mut phases.directories).into_iter().rev() {
            if let Outcome::Done(records) = Arc::clone(&self.applier).apply(planned, true).await {
                removed.extend(records);
            }
        }
        for record in removed.into_iter().rev() {
            journal.push(record).await?;
        }
        Ok(())
    }

    /// Conflicts, and what something of the other kind was in the way of.
    async fn finish(
        &self,
        conflicts: Spool,
        blocked: Vec<Planned>,
        journal: &mut Journal<'_>,
    ) -> Result<(), SyncError> {
        let mut records = BTreeMap::<String, Record>::new();
        let mut conflicts = conflicts.into_supply();
        while let Some(planned) = conflicts.next(&self.store).await? {
            if planned.decision == Decision::Leave {
                self.leave(&planned).await;
            } else if let Outcome::Done(done) = self.last_try(planned).await {
                records.extend(done.into_iter().map(|record| (record.key.clone(), record)));
            }
        }
        for planned in blocked {
            if let Decision::Send(on) | Decision::Mkdir(on) = planned.decision
                && let Err(error) = self.applier.clear(on, &planned.record.key).await
            {
                self.applier.fail(&planned.record.key, error).await;
                continue;
            }
            if let Outcome::Done(done) = self.last_try(planned).await {
                records.extend(done.into_iter().map(|record| (sort_key(&record), record)));
            }
        }
        for record in records.into_values() {
            journal.push(record).await?;
        }
        Ok(())
    }

    async fn last_try(&self, planned: Planned) -> Outcome {
        Arc::clone(&self.applier).apply(planned, true).await
    }

    async fn leave(&self, planned: &Planned) {
        let key = &planned.record.key;
        if let (Resolve::Error, Ok(path)) = (
            self.pair.options.resolve,
            storage_core::ObjectPath::new(key),
        ) {
            self.applier
                .fail(key, BisyncError::Conflict(path).into())
                .await;
        } else if let Some(action) = planned.action() {
            self.applier.tally.done(&action, 0);
            self.applier
                .events
                .push(Event::Done { action, bytes: 0 })
                .await;
        }
    }

    /// `None` when the run was cancelled first.
    async fn unless_cancelled<T>(
        &self,
        work: impl Future<Output = Result<T, SyncError>>,
    ) -> Result<Option<T>, SyncError> {
        let mut cancelled = self.cancelled.clone();
        tokio::select! {
            biased;
            // Fails when the run is gone, and then this task is about to be aborted.
            _ = cancelled.wait_for(|cancelled| *cancelled) => Ok(None),
            done = work => done.map(Some),
        }
    }

    /// Waits until tasks that were dropped have ended.
    async fn wait_until_idle(&self) {
        let all = u32::try_from(self.pair.options.common.transfers).unwrap_or(u32::MAX);
        // Fails only when the semaphore is closed, which nobody does.
        let _ = self.applier.transfers.acquire_many(all).await;
    }
}

/// The key by which a record sorts.
fn sort_key(record: &Record) -> String {
    let end = if record.is_dir { "/" } else { "" };
    format!("{}{end}", record.key)
}

/// A number that no other state has.
fn new_generation() -> u64 {
    RandomState::new().hash_one(SystemTime::now())
}

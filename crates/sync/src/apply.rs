use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use storage_core::{BackendExt, ObjectInfo, ObjectPath, Operation, RmdirOptions, WriteMode};

use crate::backup::Keeper;
use crate::flow::Flow;
use crate::plan::Work;
use crate::report::Events;
use crate::retry::pause;
use crate::summary::Tally;
use crate::transfer::{Transfer, replacement};
use crate::tree::Side;
use crate::{Action, Command, Event, Failure, Job, SkipReason, SyncError, alias, inspect};

/// Applies actions; shared by the workers of a run.
#[derive(Debug)]
pub(crate) struct Applier {
    pub(crate) job: Arc<Job>,
    tally: Arc<Tally>,
    events: Arc<Events>,
    pub(crate) flow: Flow,
    /// That of objects on their way to where they are kept.
    pub(crate) kept_flow: Flow,
    pub(crate) keeper: Option<Keeper>,
    /// Transfers that a file or directory of the other kind is in the way of, until the deletions
    /// are done; `None` once they are.
    blocked: Mutex<Option<Vec<Work>>>,
    /// Source objects of a move that have arrived.
    arrived: Mutex<Vec<Work>>,
}

enum Outcome {
    Done(u64),
    /// There was nothing to do after all.
    Nothing,
    /// A saved action had been applied before.
    Applied,
}

impl Applier {
    pub(crate) fn new(job: Arc<Job>, tally: Arc<Tally>, events: Arc<Events>) -> Self {
        let can_unblock = job.command == Command::Sync;
        let flow = Flow::new(&job.options);
        Self {
            kept_flow: flow.unlimited(),
            keeper: Keeper::of(&job),
            flow,
            job,
            tally,
            events,
            blocked: Mutex::new(can_unblock.then(Vec::new)),
            arrived: Mutex::default(),
        }
    }

    /// The transfers that were put off. From now on nothing is put off.
    pub(crate) fn take_blocked(&self) -> Vec<Work> {
        locked(&self.blocked).take().unwrap_or_default()
    }

    /// How many sources of a move wait for their removal.
    pub(crate) fn count_arrived(&self) -> usize {
        locked(&self.arrived).len()
    }

    /// The removals of what has arrived so far.
    pub(crate) fn take_arrived(&self) -> Vec<Work> {
        std::mem::take(&mut *locked(&self.arrived))
    }

    /// Keeps a removal of a source until the destination is durable.
    pub(crate) fn note(&self, removal: Work) {
        locked(&self.arrived).push(removal);
    }

    /// Takes note that the destination has what `source` was when it was read.
    fn note_arrived(&self, path: &ObjectPath, source: ObjectInfo) {
        let path = path.clone();
        self.note(Work {
            source: Some(Box::new(source)),
            ..Work::from(Action::RemoveSource { path })
        });
    }

    /// Applies one action, with as many tries as it may have, and reports how it ended.
    pub(crate) async fn apply(&self, mut work: Work) {
        if work.sends() {
            let (bytes, is_again) = (work.action.bytes(), work.progress.is_admitted);
            if !self.flow.limits.admit(bytes, is_again) {
                return;
            }
            work.progress.is_admitted = true;
        }
        let mut tries = 0;
        loop {
            tries += 1;
            let error = match self.attempt(&mut work).await {
                Ok(Outcome::Done(bytes)) => {
                    self.tally.done(&work.action, bytes);
                    let action = work.action;
                    return self.events.push(Event::Done { action, bytes }).await;
                }
                Ok(Outcome::Nothing) => return,
                Ok(Outcome::Applied) => return self.skip(&work, SkipReason::Unchanged).await,
                Err(error) => error,
            };
            if self.is_taken(&error) {
                return self.skip(&work, SkipReason::Exists).await;
            }
            if is_blocked(&work.action, &error) && self.put_off(&work) {
                return;
            }
            if tries >= self.job.options.tries || !may_try_again(&work.action, &error) {
                return self.fail(&work.action, error).await;
            }
            let path = work.action.path().clone();
            let refresh = matches!(error, SyncError::SourceChanged { .. });
            let error = Arc::new(error);
            self.events
                .push(Event::Retried { path, tries, error })
                .await;
            let given = self.job.options.retry_pause;
            tokio::time::sleep(given.unwrap_or_else(|| pause(tries))).await;
            if refresh {
                self.refresh(&mut work).await;
            }
        }
    }

    pub(crate) async fn skip(&self, work: &Work, reason: SkipReason) {
        let path = work.action.path().clone();
        self.tally.skipped(1);
        let action = Action::Skip { path, reason };
        self.events.push(Event::Done { action, bytes: 0 }).await;
    }

    async fn attempt(&self, work: &mut Work) -> Result<Outcome, SyncError> {
        if work.progress.kept.is_none() && !self.is_as_planned(work).await? {
            return Ok(Outcome::Applied);
        }
        let (source, destination) = (&self.job.source, &self.job.destination);
        let path = work.action.path();
        let to = destination.tree.prefix().join(path)?;
        let kept = &mut work.progress.kept;
        match (&work.action, &work.source) {
            (Action::Create { .. } | Action::Update { .. }, Some(listed)) => {
                if matches!(work.action, Action::Update { .. }) {
                    self.keep_once(kept, path, &to, true).await?;
                }
                if let Some(bytes) = self.copy_twin(work, path, &to).await {
                    return Ok(Outcome::Done(bytes));
                }
                let sent = self.transfer(listed, path, &to).send().await?;
                self.after_transfer(path, sent.source);
                return Ok(Outcome::Done(sent.bytes));
            }
            (Action::Rename { .. }, Some(listed)) => {
                self.keep_once(kept, path, &to, true).await?;
                self.transfer(listed, path, &to).rename().await?;
            }
            (Action::Relocate { from, .. }, Some(listed)) => {
                self.relocate(from, &to, listed).await?;
            }
            (Action::SetModified { modified, .. }, Some(listed)) => {
                let extended = destination.backend().extended()?;
                extended.set_modified(&to, *modified).await?;
                self.after_transfer(path, (**listed).clone());
            }
            (Action::RemoveSource { .. }, Some(read)) => {
                return self.remove_source(read, path, &to).await;
            }
            (Action::Delete { .. }, _) => {
                let kept = self.keep_once(kept, path, &to, false).await?;
                let was_there = destination.backend().delete(&to).await?;
                return Ok(if was_there || kept {
                    Outcome::Done(0)
                } else {
                    Outcome::Nothing
                });
            }
            (Action::Mkdir { .. }, _) => destination.backend().extended()?.mkdir(&to).await?,
            (Action::SetDirModified { modified, .. }, _) => {
                // What was to be in it may have failed, and a file may be in the way.
                if !inspect::stat(destination, &to)
                    .await?
                    .is_some_and(|now| now.is_dir)
                {
                    return Ok(Outcome::Nothing);
                }
                let extended = destination.backend().extended()?;
                extended.set_modified(&to, *modified).await?;
            }
            (Action::Rmdir { .. }, _) => return remove_directory(destination, &to).await,
            (Action::RmdirSource { .. }, _) => {
                let from = source.tree.prefix().join(path)?;
                return remove_directory(source, &from).await;
            }
            _ => return Ok(Outcome::Nothing),
        }
        Ok(Outcome::Done(0))
    }

    /// Copies another tree's object of the same content; where that fails the source's is sent.
    async fn copy_twin(&self, work: &Work, path: &ObjectPath, to: &ObjectPath) -> Option<u64> {
        let twin = work.copy.as_ref()?;
        let transfer = Transfer {
            job: &twin.job,
            ..self.transfer(&twin.listed, path, to)
        };
        transfer.send().await.ok().map(|sent| sent.bytes)
    }

    fn transfer<'a>(
        &'a self,
        listed: &'a ObjectInfo,
        path: &'a ObjectPath,
        to: &'a ObjectPath,
    ) -> Transfer<'a> {
        Transfer {
            job: &self.job,
            events: &self.events,
            flow: &self.flow,
            listed,
            path,
            to,
            mode: None,
        }
    }

    /// Gives the destination's object at `from` the name `to`, and the time that the source says.
    async fn relocate(
        &self,
        from: &ObjectPath,
        to: &ObjectPath,
        listed: &ObjectInfo,
    ) -> Result<(), SyncError> {
        let destination = &self.job.destination;
        let from = destination.tree.prefix().join(from)?;
        let backend = destination.backend().extended()?;
        let mode = match destination.features.create_new {
            true => WriteMode::CreateNew,
            false => WriteMode::Replace,
        };
        if destination.features.rename {
            backend.rename(&from, to, mode.into()).await?;
        } else {
            backend.copy(&from, to, mode.into()).await?;
            destination.backend().delete(&from).await?;
        }
        match self.job.source.source_time(listed) {
            Some(modified) if destination.features.set_modified => {
                Ok(backend.set_modified(to, modified).await?)
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn events(&self) -> &Events {
        &self.events
    }

    fn after_transfer(&self, path: &ObjectPath, read: ObjectInfo) {
        if self.job.command == Command::Move {
            self.note_arrived(path, read);
        }
    }

    /// Removes the source's object if it is still the one that arrived. The contract has no
    /// conditional delete: a change in the moment between the two calls is lost.
    async fn remove_source(
        &self,
        read: &ObjectInfo,
        path: &ObjectPath,
        to: &ObjectPath,
    ) -> Result<Outcome, SyncError> {
        let (source, destination) = (&self.job.source, &self.job.destination);
        let Some(now) = self.unchanged(read).await? else {
            return Ok(Outcome::Nothing);
        };
        if alias::is_one_object((source, &now), (destination, to)).await? {
            self.part(&now, path, to).await?;
            // A hard link less gives what is left of the source another version.
            let mut seen = now;
            seen.version = None;
            let Some(now) = self.unchanged(&seen).await? else {
                return Ok(Outcome::Done(0));
            };
            if alias::is_one_object((source, &now), (destination, to)).await? {
                let (path, what) = (now.path, "it is the destination itself");
                return Err(SyncError::SourceChanged { path, what });
            }
        }
        source.backend().delete(&read.path).await?;
        Ok(Outcome::Done(0))
    }

    /// Makes the destination's object one of its own, where it was the source's under another name.
    async fn part(
        &self,
        now: &ObjectInfo,
        path: &ObjectPath,
        to: &ObjectPath,
    ) -> Result<(), SyncError> {
        let transfer = self.transfer(now, path, to);
        if self.job.moves_by_rename() {
            return transfer.rename().await;
        }
        transfer.send().await?;
        match self.job.destination.backend().as_extended() {
            Some(extended) => Ok(extended.flush().await?),
            None => Ok(()),
        }
    }

    /// The source's object if it is still as it was read; `None` when it is gone.
    async fn unchanged(&self, read: &ObjectInfo) -> Result<Option<ObjectInfo>, SyncError> {
        let now = inspect::stat(&self.job.source, &read.path).await?;
        match now.as_ref().and_then(|now| replacement(read, now)) {
            Some(what) => {
                let path = read.path.clone();
                Err(SyncError::SourceChanged { path, what })
            }
            None => Ok(now),
        }
    }

    /// Keeps a transfer until the deletions are done; `false` when they are.
    fn put_off(&self, work: &Work) -> bool {
        match &mut *locked(&self.blocked) {
            Some(list) => {
                list.push(work.clone());
                true
            }
            None => false,
        }
    }

    /// Whether somebody else created what may not be replaced.
    fn is_taken(&self, error: &SyncError) -> bool {
        match error {
            SyncError::Storage(error) => {
                let unknown = error.outcome_unknown();
                self.job.options.ignore_existing && error.is_already_exists() && !unknown
            }
            _ => false,
        }
    }

    /// Looks at the source again, for another try with what it is now.
    async fn refresh(&self, work: &mut Work) {
        if let Some(source) = &mut work.source
            && let Ok(Some(now)) = inspect::stat(&self.job.source, &source.path).await
            && !now.is_dir
        {
            **source = now;
        }
    }

    async fn fail(&self, action: &Action, error: SyncError) {
        let operation = match (&error, action) {
            (SyncError::Storage(error), _) if error.operation().is_some() => error.operation(),
            (SyncError::SourceChanged { .. }, _) => Some(Operation::Read),
            (_, Action::Delete { .. } | Action::RemoveSource { .. }) => Some(Operation::Delete),
            _ => None,
        };
        let operation = operation.unwrap_or(Operation::Write);
        let failure = Failure::new(Some(action.path().clone()), operation, error);
        self.flow.limits.failures(self.tally.fail(&failure));
        self.events.push(Event::Failed(failure)).await;
    }
}

/// A directory that is not empty, or gone, is left as it is.
async fn remove_directory(side: &Side, path: &ObjectPath) -> Result<Outcome, SyncError> {
    let removed = side
        .backend()
        .extended()?
        .rmdir(path, RmdirOptions::default())
        .await;
    match removed {
        Ok(()) => Ok(Outcome::Done(0)),
        Err(error) if error.is_not_found() || error.is_not_empty() => Ok(Outcome::Nothing),
        Err(error) => Err(error.into()),
    }
}

/// Whether a destination of the other kind is in the way, which the deletions may remove.
fn is_blocked(action: &Action, error: &SyncError) -> bool {
    let SyncError::Storage(error) = error else {
        return false;
    };
    let writes = matches!(
        error.operation(),
        Some(Operation::Write | Operation::Copy | Operation::Rename | Operation::Mkdir)
    );
    let taken = matches!(action, Action::Mkdir { .. }) && error.is_already_exists();
    writes && (error.is_directory() || error.is_not_directory() || taken)
}

/// Whether another try may succeed and cannot do harm. A rename whose reply was lost may have
/// happened, and so may the removal of a source that changed since.
fn may_try_again(action: &Action, error: &SyncError) -> bool {
    let unknown = matches!(error, SyncError::Storage(error) if error.outcome_unknown());
    match action {
        Action::RemoveSource { .. } => matches!(error, SyncError::Storage(_)) && error.may_pass(),
        Action::Rename { .. } | Action::Relocate { .. } => error.may_pass() && !unknown,
        _ => error.may_pass(),
    }
}

/// A panic under one of these locks leaves a list as it was.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

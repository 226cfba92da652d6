use std::sync::Arc;

use storage_core::{
    BackendExt, ObjectInfo, ObjectPath, Operation, RmdirOptions, WriteMode, Written,
};
use tokio::sync::Semaphore;

use super::decision::Decision;
use super::pair::Pair;
use super::print::Print;
use super::record::Record;
use super::settle::Planned;
use super::{BisyncError, Replica};
use crate::backup::Keeper;
use crate::flow::Flow;
use crate::report::Events;
use crate::retry::pause;
use crate::summary::Tally;
use crate::transfer::Transfer;
use crate::{Event, Failure, SyncError};

/// Applies decisions.
#[derive(Debug)]
pub(crate) struct Applier {
    pub(crate) pair: Arc<Pair>,
    pub(crate) tally: Arc<Tally>,
    pub(crate) events: Arc<Events>,
    pub(crate) flow: Flow,
    /// Where each side keeps what is replaced or deleted.
    pub(crate) keepers: [Option<Keeper>; 2],
    /// Bounds what is in transfer, and tells when all of it has ended.
    pub(crate) transfers: Arc<Semaphore>,
}

/// What became of a decision.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// What is to be remembered, in order of the keys.
    Done(Vec<Record>),
    /// Something of the other kind is in the way, which deletions may remove.
    Blocked(Planned),
    Failed,
}

impl Applier {
    /// Applies a decision, with as many tries as it may have, and reports how it ended.
    pub(crate) async fn apply(self: Arc<Self>, mut planned: Planned, is_last: bool) -> Outcome {
        // Fails only when the semaphore is closed, which nobody does.
        let Ok(_permit) = self.transfers.acquire().await else {
            return Outcome::Failed;
        };
        let mut tries = 0;
        loop {
            tries += 1;
            let error = match self.attempt(&planned).await {
                Ok((records, bytes)) => {
                    self.done(&planned, bytes).await;
                    return Outcome::Done(records);
                }
                Err(error) => error,
            };
            if !is_last && is_blocked(planned.decision, &error) {
                return Outcome::Blocked(planned);
            }
            let is_same_try = matches!(planned.decision, Decision::KeepBoth(_));
            if is_same_try || tries >= self.pair.options.common.tries || !error.may_pass() {
                self.fail(&planned.record.key, error).await;
                return Outcome::Failed;
            }
            self.try_again(&mut planned, tries, error).await;
        }
    }

    async fn done(&self, planned: &Planned, bytes: u64) {
        if let Some(action) = planned.action() {
            self.tally.done(&action, bytes);
            self.events.push(Event::Done { action, bytes }).await;
        }
    }

    /// Says that something was given up.
    pub(crate) async fn fail(&self, key: &str, error: SyncError) {
        let operation = match &error {
            SyncError::Storage(error) => error.operation().unwrap_or(Operation::Write),
            SyncError::SourceChanged { .. } => Operation::Read,
            _ => Operation::Write,
        };
        let failure = Failure::new(ObjectPath::new(key).ok(), operation, error);
        self.tally.fail(&failure);
        self.events.push(Event::Failed(failure)).await;
    }

    async fn try_again(&self, planned: &mut Planned, tries: u32, error: SyncError) {
        let is_changed = matches!(error, SyncError::SourceChanged { .. });
        if let Ok(path) = ObjectPath::new(&planned.record.key) {
            let error = Arc::new(error);
            self.events
                .push(Event::Retried { path, tries, error })
                .await;
        }
        let given = self.pair.options.common.retry_pause;
        tokio::time::sleep(given.unwrap_or_else(|| pause(tries))).await;
        let (Decision::Send(to), true) = (planned.decision, is_changed) else {
            return;
        };
        let from = to.other();
        if let Ok(full) = self.pair.full(from, &planned.record.key)
            && let Ok(Some(now)) = self.pair.stat(from, &full).await
            && !now.is_dir
        {
            *from.of_mut(&mut planned.record.prints) = Some(Print::of(&now));
        }
    }

    async fn attempt(&self, planned: &Planned) -> Result<(Vec<Record>, u64), SyncError> {
        let record = &planned.record;
        let gone = || Record::gone(record.key.clone(), record.is_dir);
        match planned.decision {
            Decision::Leave | Decision::SkipLink(_) | Decision::SkipDevice(_) => {
                return Ok((Vec::new(), 0));
            }
            Decision::Adopt => return Ok((vec![record.clone()], 0)),
            Decision::Forget => {}
            Decision::Send(to) => {
                let (record, bytes) = self.send(record, to).await?;
                return Ok((vec![record], bytes));
            }
            Decision::SetModified(to) => {
                return Ok((vec![self.set_modified(record, to).await?], 0));
            }
            Decision::Mkdir(on) => {
                let full = self.pair.full(on, &record.key)?;
                self.pair
                    .side(on)
                    .backend()
                    .extended()?
                    .mkdir(&full)
                    .await?;
                return Ok((vec![record.clone()], 0));
            }
            Decision::Delete(on) => self.delete(record, on).await?,
            Decision::Rmdir(on) => {
                let full = self.pair.full(on, &record.key)?;
                self.remove_directory(on, &full).await?;
            }
            Decision::KeepBoth(winner) => return self.keep_both(record, winner).await,
        }
        Ok((vec![gone()], 0))
    }

    /// Sends one side's version to the other, over exactly the version that was compared.
    pub(crate) async fn send(
        &self,
        record: &Record,
        to: Replica,
    ) -> Result<(Record, u64), SyncError> {
        let (from, path) = (to.other(), ObjectPath::new(&record.key)?);
        let target = self.pair.full(to, &path)?;
        let seen = from.of(&record.prints).unwrap_or_default();
        let listed = seen.info(self.pair.full(from, &path)?);
        let expected = to.of(&record.prints);
        let mut mode = self.expect(to, &target, expected.as_ref()).await?;
        if expected.is_some() && self.keep(to, &path, &target, true).await? {
            // Where the store cannot copy, it is gone from its place now.
            mode = self.expect(to, &target, expected.as_ref()).await?;
        }
        let transfer = Transfer {
            job: self.pair.sending_to(to),
            events: &self.events,
            flow: &self.flow,
            listed: &listed,
            path: &path,
            to: &target,
            mode: Some(mode),
        };
        let sent = transfer
            .send()
            .await
            .map_err(|error| self.taken(to, &path, error))?;
        let mut record = Record {
            key: record.key.clone(),
            is_dir: false,
            prints: [None, None],
        };
        let read = self.pair.print(from, &sent.source).await?;
        let arrived = self.arrived(to, &target, &sent.written).await?;
        *from.of_mut(&mut record.prints) = Some(read);
        *to.of_mut(&mut record.prints) = Some(arrived);
        Ok((record, sent.bytes))
    }

    /// How to write so that nothing is replaced but what was compared. A store that cannot decide
    /// this atomically is asked just before.
    async fn expect(
        &self,
        side: Replica,
        full: &ObjectPath,
        expected: Option<&Print>,
    ) -> Result<WriteMode, SyncError> {
        let features = self.pair.side(side).features;
        if expected.is_none() && features.create_new {
            return Ok(WriteMode::CreateNew);
        }
        let now = self.pair.stat(side, full).await?;
        match (now, expected) {
            (None, _) if features.create_new => Ok(WriteMode::CreateNew),
            (None, _) => Ok(WriteMode::Replace),
            (Some(now), Some(expected)) if self.is_still(side, expected, &now).await? => {
                match now.version {
                    Some(version) if features.if_version => Ok(WriteMode::IfVersion(version)),
                    _ => Ok(WriteMode::Replace),
                }
            }
            (Some(now), None) if now.is_dir => Ok(WriteMode::Replace),
            _ => Err(self.changed(side, full)),
        }
    }

    pub(crate) async fn is_still(
        &self,
        side: Replica,
        expected: &Print,
        now: &ObjectInfo,
    ) -> Result<bool, SyncError> {
        if now.is_dir {
            return Ok(false);
        }
        let now = self.pair.print(side, now).await?;
        if !expected.has_evidence() {
            return Ok(expected.size == now.size);
        }
        Ok(expected.is_of(&now, self.pair.scale(side)))
    }

    pub(crate) fn changed(&self, side: Replica, full: &ObjectPath) -> SyncError {
        let prefix = &self.pair.side(side).tree.prefix();
        let path = full
            .strip_prefix(prefix)
            .and_then(|path| ObjectPath::new(path).ok());
        let path = path.unwrap_or_else(|| full.clone());
        BisyncError::Changed { side, path }.into()
    }

    /// A condition that failed means that somebody else was quicker.
    fn taken(&self, side: Replica, path: &ObjectPath, error: SyncError) -> SyncError {
        match &error {
            SyncError::Storage(storage)
                if storage.is_precondition_failed()
                    || (storage.is_already_exists() && !storage.outcome_unknown()) =>
            {
                let path = path.clone();
                BisyncError::Changed { side, path }.into()
            }
            _ => error,
        }
    }

    /// What a listing will show of what was just written.
    async fn arrived(
        &self,
        side: Replica,
        full: &ObjectPath,
        written: &Written,
    ) -> Result<Print, SyncError> {
        let mut info = ObjectInfo::new(full.clone());
        info.size = Some(written.size);
        (info.modified, info.version) = (written.modified, written.version.clone());
        info.etag.clone_from(&written.etag);
        if info.modified.is_none() || self.pair.by_checksum() {
            let now = self.pair.stat(side, full).await?;
            let is_ours = |now: &ObjectInfo| {
                let differ = |a, b| matches!((a, b), (Some(a), Some(b)) if a != b);
                let versions = (now.version.as_ref(), written.version.as_ref());
                now.size == Some(written.size) && !differ(versions.0, versions.1)
            };
            info = now
                .filter(is_ours)
                .ok_or_else(|| self.changed(side, full))?;
        }
        self.pair.print(side, &info).await
    }

    async fn set_modified(&self, record: &Record, to: Replica) -> Result<Record, SyncError> {
        let (from, key) = (to.other(), &record.key);
        let (source, target) = (self.pair.full(from, key)?, self.pair.full(to, key)?);
        let now = self.pair.stat(from, &source).await?;
        let time = now.and_then(|now| self.pair.time(from, &now));
        let time = time.ok_or_else(|| self.changed(from, &source))?;
        if let Some(expected) = to.of(&record.prints) {
            self.expect(to, &target, Some(expected)).await?;
        }
        let backend = self.pair.side(to).backend();
        backend.extended()?.set_modified(&target, time).await?;
        let now = self.pair.stat(to, &target).await?;
        let now = now.ok_or_else(|| self.changed(to, &target))?;
        let mut record = record.clone();
        let mut print = self.pair.print(to, &now).await?;
        // What a stat knows and a listing does not would be in the way of nothing, but so would an
        // edit of this moment be hidden: the size stays the one that was compared.
        print.size = to.of(&record.prints).and_then(|print| print.size);
        *to.of_mut(&mut record.prints) = Some(print);
        Ok(record)
    }

    /// Deletes an object if it is still the one that was compared. The contract has no conditional
    /// delete: a change in the moment between the two calls is lost.
    async fn delete(&self, record: &Record, on: Replica) -> Result<(), SyncError> {
        let full = self.pair.full(on, &record.key)?;
        let expected = on.of(&record.prints).unwrap_or_default();
        match self.pair.stat(on, &full).await? {
            None => Ok(()),
            Some(now) if self.is_still(on, &expected, &now).await? => {
                let path = ObjectPath::new(&record.key)?;
                self.keep(on, &path, &full, false).await?;
                self.pair.side(on).backend().delete(&full).await?;
                Ok(())
            }
            Some(_) => Err(self.changed(on, &full)),
        }
    }

    /// Keeps what one side has, where that is asked for; whether it was.
    async fn keep(
        &self,
        side: Replica,
        path: &ObjectPath,
        full: &ObjectPath,
        is_replaced: bool,
    ) -> Result<bool, SyncError> {
        let Some(keeper) = side.of(&self.keepers) else {
            return Ok(false);
        };
        let (events, flow) = (&self.events, &self.flow);
        keeper.keep((path, full), is_replaced, events, flow).await
    }

    /// A directory that is not empty, or gone, is left as it is.
    async fn remove_directory(&self, on: Replica, full: &ObjectPath) -> Result<(), SyncError> {
        let backend = self.pair.side(on).backend();
        match backend
            .extended()?
            .rmdir(full, RmdirOptions::default())
            .await
        {
            Err(error) if !error.is_not_found() && !error.is_not_empty() => Err(error.into()),
            _ => Ok(()),
        }
    }
}

/// Whether something of the other kind is in the way.
fn is_blocked(decision: Decision, error: &SyncError) -> bool {
    let SyncError::Storage(error) = error else {
        return false;
    };
    let writes = matches!(
        error.operation(),
        Some(Operation::Write | Operation::Copy | Operation::Mkdir)
    );
    let taken = matches!(decision, Decision::Mkdir(_)) && error.is_already_exists();
    writes && (error.is_directory() || error.is_not_directory() || taken)
}

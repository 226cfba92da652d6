use std::sync::Arc;

use futures_util::{StreamExt, stream};
use storage_core::{HashType, ObjectInfo, ObjectPath, Operation};
use tokio::sync::watch;

use super::packed::{Entry, Packed, Paths};
use super::{Dedupe, Keep};
use crate::report::Events;
use crate::retry::retrying;
use crate::summary::Tally;
use crate::transfer::replacement;
use crate::walk::{Specials, Walk, Wanted};
use crate::{Action, Answer, Comparison, Event, Failure, SkipReason, SyncError, content, inspect};

/// Half of a digest and the object that it is of.
type Hashed = ([u8; 16], Entry);

/// Finds duplicates and deals with them.
pub(crate) struct Driver {
    pub(crate) search: Arc<Dedupe>,
    pub(crate) tally: Arc<Tally>,
    pub(crate) events: Arc<Events>,
    pub(crate) cancel: watch::Sender<bool>,
}

impl Driver {
    /// Runs to the end, or until cancelled.
    pub(crate) async fn drive(self) {
        let started = Event::Started {
            comparison: Comparison::Checksum,
            dry_run: self.search.options.dry_run,
        };
        self.events.push(started).await;
        let mut cancelled = self.cancel.subscribe();
        let done = tokio::select! {
            biased;
            // Fails when the run is gone, and then this task is about to be aborted.
            _ = cancelled.wait_for(|cancelled| *cancelled) => Ok(()),
            done = self.run() => done,
        };
        if let Err(error) = done {
            self.fail(None, Operation::List, error).await;
        }
    }

    async fn run(&self) -> Result<(), SyncError> {
        let mut packed = self.list().await?;
        let paths = packed.take_paths();
        for group in packed.groups() {
            self.look(&paths, group).await;
        }
        Ok(())
    }

    async fn list(&self) -> Result<Packed, SyncError> {
        let (side, options) = (&self.search.side, &self.search.options);
        let wanted = Wanted {
            directories: false,
            specials: Specials::LeaveOut,
            links: options.links.listed(),
            filter: options.filter.as_ref(),
        };
        let mut walk = Walk::start(side, wanted, options);
        let mut packed = Packed::default();
        loop {
            walk.fill().await?;
            let Some(info) = walk.take() else {
                return Ok(packed);
            };
            let filter = options.filter.as_ref();
            if filter.is_none_or(|filter| filter.includes_attributes(info.size, info.modified)) {
                packed.push(&info);
            }
        }
    }

    /// Hashes the objects of one size and deals with those of one hash.
    async fn look(&self, paths: &Paths, group: &[Entry]) {
        let hash = self.best_hash(paths, group).await;
        let checkers = self.search.options.checkers;
        // Owned, for what borrows a slice cannot be told to be sent to another thread.
        let entries = Vec::from(group).into_iter();
        let mut hashing = stream::iter(entries.map(|entry| self.hash(paths, entry, hash)))
            .buffer_unordered(checkers);
        let mut hashed = Vec::<Hashed>::with_capacity(group.len());
        while let Some(found) = hashing.next().await {
            hashed.extend(found);
        }
        drop(hashing);
        hashed.sort_unstable_by_key(|(digest, entry)| (*digest, entry.start));
        for same in hashed
            .chunk_by(|a, b| a.0 == b.0)
            .filter(|same| same.len() > 1)
        {
            if let Err(error) = self.settle(paths, same).await {
                self.fail(None, Operation::Delete, error).await;
            }
        }
    }

    /// A hash that the store keeps and that nobody finds two contents for by chance, else BLAKE3.
    async fn best_hash(&self, paths: &Paths, group: &[Entry]) -> HashType {
        use HashType::{Blake3, Md5, Sha1, Sha256};
        let Some(Ok(first)) = group.first().map(|entry| paths.info(entry)) else {
            return Blake3;
        };
        let kept = content::stored_hashes((&self.search.side, &first)).await;
        let kept = kept.map(|hashes| hashes.types()).unwrap_or_default();
        let strongest_first = [Blake3, Sha256, Sha1, Md5];
        let best = strongest_first
            .into_iter()
            .find(|hash| kept.contains(*hash));
        best.unwrap_or(Blake3)
    }

    async fn hash(&self, paths: &Paths, entry: Entry, hash: HashType) -> Option<Hashed> {
        let (side, tries) = (&self.search.side, self.search.options.request_tries);
        let found = async {
            let info = paths.info(&entry)?;
            let digest = retrying(tries, || content::digest(side, &info, hash, true)).await?;
            let bytes = digest
                .get(hash)
                .and_then(|digest| digest.first_chunk::<16>());
            let lost = || SyncError::Task("a digest is missing".to_owned());
            bytes.copied().ok_or_else(lost)
        };
        match found.await {
            Ok(digest) => Some((digest, entry)),
            Err(error) => {
                let path = paths
                    .info(&entry)
                    .ok()
                    .map(|info| self.relative(&info.path));
                self.fail(path, Operation::Read, error).await;
                None
            }
        }
    }

    /// Reports the duplicates of one content, and deletes all but one if that is wanted.
    async fn settle(&self, paths: &Paths, same: &[Hashed]) -> Result<(), SyncError> {
        let kept = same.iter().map(|(_, entry)| entry);
        let kept = match self.search.keep {
            Keep::All | Keep::First => kept.min_by_key(|entry| entry.start),
            Keep::Newest => kept.max_by_key(|entry| (entry.modified, usize::MAX - entry.start)),
            Keep::Oldest => kept.min_by_key(|entry| (entry.modified, entry.start)),
        };
        let Some(kept) = kept else {
            return Ok(());
        };
        let original = paths.info(kept)?;
        let copies = same.iter().filter(|(_, entry)| entry.start != kept.start);
        let copies: Vec<_> = copies.map(|(_, entry)| *entry).collect();
        let options = &self.search.options;
        // Somebody who is asked gets one question at a time.
        let at_a_time = match options.confirm {
            Some(_) => 1,
            None => options.transfers,
        };
        let original = &original;
        let deal = |entry: Entry| async move {
            let copy = paths.info(&entry)?;
            self.deal_with(original, copy).await
        };
        let mut dealing = stream::iter(copies.into_iter().map(deal)).buffer_unordered(at_a_time);
        while let Some(dealt) = dealing.next().await {
            dealt?;
        }
        Ok(())
    }

    async fn deal_with(&self, original: &ObjectInfo, copy: ObjectInfo) -> Result<(), SyncError> {
        let (path, size) = (self.relative(&copy.path), copy.size);
        self.tally.duplicates(1);
        self.tally.duplicate_bytes(size.unwrap_or(0));
        let (copied, of) = (path.clone(), self.relative(&original.path));
        self.events
            .push(Event::Duplicate {
                path: copied,
                of,
                size,
            })
            .await;
        if self.search.keep == Keep::All {
            return Ok(());
        }
        let action = Action::Delete { path, size };
        self.events.push(Event::Planned(action.clone())).await;
        if self.search.options.dry_run {
            self.tally.done(&action, 0);
            return Ok(());
        }
        if !self.is_confirmed(&action).await {
            return Ok(());
        }
        match self.delete(original, &copy).await {
            Ok(true) => {
                self.tally.done(&action, 0);
                self.events.push(Event::Done { action, bytes: 0 }).await;
            }
            Ok(false) => self.skip(action.path(), SkipReason::SameObject).await,
            Err(error) => {
                let path = Some(action.path().clone());
                self.fail(path, Operation::Delete, error).await;
            }
        }
        Ok(())
    }

    async fn is_confirmed(&self, action: &Action) -> bool {
        let Some(confirm) = &self.search.options.confirm else {
            return true;
        };
        match confirm.ask(action).await {
            Answer::Yes => return true,
            Answer::No => self.skip(action.path(), SkipReason::Declined).await,
            Answer::Quit => {
                self.cancel.send_replace(true);
                // The run ends here, and this is dropped.
                std::future::pending::<()>().await;
            }
        }
        false
    }

    async fn skip(&self, path: &ObjectPath, reason: SkipReason) {
        self.tally.skipped(1);
        let path = path.clone();
        let action = Action::Skip { path, reason };
        self.events.push(Event::Done { action, bytes: 0 }).await;
    }

    /// Deletes the copy if both are what was compared; `false` when they are one object.
    async fn delete(&self, original: &ObjectInfo, copy: &ObjectInfo) -> Result<bool, SyncError> {
        let side = &self.search.side;
        let first = self.still(original).await?;
        let second = self.still(copy).await?;
        // Where there are directories there may be links. A version is that of the file below.
        let is_one =
            side.features.directories && first.version.is_some() && first.version == second.version;
        if is_one {
            return Ok(false);
        }
        if self.search.options.download {
            let compared = content::is_same((side, &first), (side, &second), false).await?;
            if !compared.same {
                return Err(self.changed(copy, "it has not the bytes of its duplicate"));
            }
            self.still(&first).await?;
            self.still(&second).await?;
        }
        side.backend().delete(&copy.path).await?;
        Ok(true)
    }

    /// An object as it is now, if it is still the one that was listed.
    async fn still(&self, listed: &ObjectInfo) -> Result<ObjectInfo, SyncError> {
        let (side, tries) = (&self.search.side, self.search.options.request_tries);
        let now = retrying(tries, || inspect::stat(side, &listed.path)).await?;
        let now = now.ok_or_else(|| self.changed(listed, "it is gone"))?;
        match replacement(listed, &now) {
            None => Ok(now),
            Some(what) => Err(self.changed(listed, what)),
        }
    }

    fn changed(&self, info: &ObjectInfo, what: &'static str) -> SyncError {
        let path = self.relative(&info.path);
        SyncError::SourceChanged { path, what }
    }

    fn relative(&self, path: &ObjectPath) -> ObjectPath {
        let below = path.strip_prefix(self.search.side.tree.prefix());
        let below = below.and_then(|below| ObjectPath::new(below).ok());
        below.unwrap_or_else(|| path.clone())
    }

    async fn fail(&self, path: Option<ObjectPath>, operation: Operation, error: SyncError) {
        let operation = match &error {
            SyncError::Storage(error) => error.operation().unwrap_or(operation),
            _ => operation,
        };
        let failure = Failure::new(path, operation, error);
        self.tally.fail(&failure);
        self.events.push(Event::Failed(failure)).await;
    }
}

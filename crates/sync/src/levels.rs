//! Walking a tree a directory at a time, so that those that a filter excludes are never listed.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use storage_core::{
    Backend, Cursor, Links, ListOptions, ListPage, ObjectInfo, ObjectPath, Operation, Prefix,
};
use storage_filter::Filter;
use tokio::sync::mpsc;

use crate::SyncError;
use crate::refused::Refused;
use crate::retry::retrying;
use crate::task::Task;
use crate::walk::{Batch, KeyOrder, Page, Specials};

/// Directories of one level that are listed ahead.
const AHEAD: usize = 4;

/// Entries that are handed on together.
const BATCH: usize = 512;

/// What a directory turned out to be.
#[derive(Debug)]
enum Opened {
    Listed(ListPage),
    /// It holds a marker that excludes it.
    Marked,
    /// It may not be listed.
    Closed,
}

type Listed = Result<Opened, SyncError>;

/// How to list one directory; cheap to clone into a task.
#[derive(Debug, Clone)]
pub(crate) struct Lister {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) filter: Filter,
    pub(crate) limit: Option<usize>,
    pub(crate) tries: u32,
    pub(crate) links: Links,
}

impl Lister {
    /// The first page of a directory below the root, unless it holds a marker or may not be listed.
    async fn enter(self, prefix: Prefix) -> Listed {
        let shows = self.links != Links::Resolve;
        match self.open(prefix).await {
            Err(SyncError::Storage(error)) if shows && error.is_permission_denied() => {
                Ok(Opened::Closed)
            }
            opened => opened,
        }
    }

    /// The first page of a directory, unless it holds a marker.
    async fn open(self, prefix: Prefix) -> Listed {
        if self.is_marked(&prefix).await? {
            return Ok(Opened::Marked);
        }
        Ok(Opened::Listed(self.page(&prefix, None).await?))
    }

    async fn is_marked(&self, prefix: &Prefix) -> Result<bool, SyncError> {
        for marker in self.filter.markers() {
            let path = prefix.join(marker)?;
            if retrying(self.tries, || self.backend.exists(&path)).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn page(&self, prefix: &Prefix, cursor: Option<Cursor>) -> Result<ListPage, SyncError> {
        let mut options = ListOptions::default().cursor(cursor).links(self.links);
        if let Some(limit) = self.limit {
            options = options.limit(limit);
        }
        let page = retrying(self.tries, || self.backend.list(prefix, options.clone())).await;
        Ok(page.map_err(|error| error.on(Operation::List, self.backend.name()))?)
    }
}

/// A directory on the way.
#[derive(Debug)]
struct Level {
    prefix: Prefix,
    entries: VecDeque<ObjectInfo>,
    next: Option<Cursor>,
    /// How many of the entries were looked at for directories to list ahead.
    scanned: usize,
    ahead: HashMap<ObjectPath, Task<Listed>>,
}

/// The walk, from the root of a tree down.
#[derive(Debug)]
pub(crate) struct Levels {
    pub(crate) lister: Lister,
    /// Whether directories are given too.
    pub(crate) directories: bool,
    pub(crate) specials: Specials,
    pub(crate) order: KeyOrder,
    pub(crate) pages: mpsc::Sender<Page>,
}

impl Levels {
    /// Sends the included entries in the order of their keys, and what excludes itself by a marker.
    pub(crate) async fn send_all(mut self) {
        if let Err(error) = self.walk().await {
            // Nobody listens any more if this fails.
            let _ = self.pages.send(Err(error)).await;
        }
    }

    async fn walk(&mut self) -> Result<(), SyncError> {
        let mut batch = Batch::default();
        let mut levels = Vec::new();
        let root = self.order.prefix().clone();
        let opened = self.lister.clone().open(root.clone()).await?;
        self.take_up(opened, root, &mut levels, &mut batch);
        while let Some(level) = levels.last_mut() {
            let Some(entry) = self.next_entry(level).await? else {
                levels.pop();
                continue;
            };
            if entry.is_dir {
                self.on_directory(entry, &mut levels, &mut batch).await?;
            } else if self
                .lister
                .filter
                .includes_path(self.order.relative(&entry))
            {
                batch.entries.push(entry);
            }
            if batch.entries.len() >= BATCH && !self.send(&mut batch).await? {
                return Ok(());
            }
        }
        self.send(&mut batch).await.map(|_| ())
    }

    /// The next entry of a level, listing ahead what comes after it.
    async fn next_entry(&self, level: &mut Level) -> Result<Option<ObjectInfo>, SyncError> {
        while level.entries.is_empty() {
            let Some(cursor) = level.next.take() else {
                return Ok(None);
            };
            let page = self.lister.page(&level.prefix, Some(cursor)).await?;
            level.take(page);
        }
        self.list_ahead(level);
        level.scanned = level.scanned.saturating_sub(1);
        Ok(level.entries.pop_front())
    }

    fn list_ahead(&self, level: &mut Level) {
        while level.ahead.len() < AHEAD {
            let Some(entry) = level.entries.get(level.scanned) else {
                return;
            };
            level.scanned += 1;
            if entry.is_dir && self.lister.filter.enters(self.order.relative(entry)) {
                let listing = self.lister.clone().enter(entry.path.as_prefix());
                level.ahead.insert(entry.path.clone(), Task::spawn(listing));
            }
        }
    }

    async fn on_directory(
        &self,
        entry: ObjectInfo,
        levels: &mut Vec<Level>,
        batch: &mut Batch,
    ) -> Result<(), SyncError> {
        let filter = &self.lister.filter;
        let relative = self.order.relative(&entry);
        let (included, entered) = (filter.includes_directory(relative), filter.enters(relative));
        let prefix = entry.path.as_prefix();
        let started = levels
            .last_mut()
            .and_then(|level| level.ahead.remove(&entry.path));
        let opened = match (entered, started) {
            // At the deepest level, only whether there is a marker in it.
            (false, _) if included && self.lister.is_marked(&prefix).await? => Some(Opened::Marked),
            (false, _) => None,
            (true, Some(task)) => Some(
                task.await
                    .map_err(|error| SyncError::Task(error.to_string()))??,
            ),
            (true, None) => Some(self.lister.clone().enter(prefix.clone()).await?),
        };
        let is_left_out = matches!(opened, Some(Opened::Marked | Opened::Closed));
        if included && self.directories && !is_left_out {
            batch.entries.push(entry);
        }
        if let Some(opened) = opened {
            self.take_up(opened, prefix, levels, batch);
        }
        Ok(())
    }

    fn take_up(&self, opened: Opened, prefix: Prefix, levels: &mut Vec<Level>, batch: &mut Batch) {
        match opened {
            Opened::Listed(page) => {
                let mut level = Level {
                    prefix,
                    entries: VecDeque::new(),
                    next: None,
                    scanned: 0,
                    ahead: HashMap::new(),
                };
                level.take(page);
                levels.push(level);
            }
            Opened::Closed => {
                let path = prefix.as_path();
                let refused = path.map(|path| Refused::closed(path, self.lister.backend.name()));
                batch.refuse(refused.into_iter().collect(), self.order.prefix());
            }
            Opened::Marked => {
                let base = self.order.prefix().len();
                batch
                    .marked
                    .push(prefix.get(base..).unwrap_or_default().into());
            }
        }
    }

    /// Hands on what there is; `false` when nobody wants it any more.
    async fn send(&mut self, batch: &mut Batch) -> Result<bool, SyncError> {
        let Batch {
            mut entries,
            marked,
            refused,
        } = std::mem::take(batch);
        let unnamable = Refused::sort_out(&mut entries, self.lister.backend.name());
        self.order.check(self.lister.backend.name(), &entries)?;
        let mut batch = Batch::of(entries, self.specials, self.order.prefix());
        batch.marked.extend(marked);
        batch.refused.extend(refused);
        batch.refused.extend(unnamable);
        Ok(self.pages.send(Ok(batch)).await.is_ok())
    }
}

impl Level {
    fn take(&mut self, page: ListPage) {
        (self.entries, self.next, self.scanned) = (page.entries.into(), page.next, 0);
    }
}

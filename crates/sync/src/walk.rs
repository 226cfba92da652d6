use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;

use storage_core::{Backend, Links, ListOptions, ObjectInfo, ObjectPath, Operation, Prefix};
use storage_filter::Filter;
use tokio::sync::mpsc;

use crate::levels::{Levels, Lister};
use crate::refused::Refused;
use crate::retry::retrying;
use crate::sieve::Sieve;
use crate::task::Task;
use crate::tree::Side;
use crate::{Options, SyncError};

/// Pages that are listed ahead of the comparison.
const AHEAD: usize = 2;

pub(crate) type Page = Result<Batch, SyncError>;

/// Some entries of a walk.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) entries: Vec<ObjectInfo>,
    /// Directories up to the last entry that a marker excludes, or that are links: `""` for the root,
    /// others end with `/`.
    pub(crate) marked: Vec<Box<str>>,
    pub(crate) refused: Vec<Refused>,
}

impl Batch {
    /// What is wanted of some entries.
    pub(crate) fn of(mut entries: Vec<ObjectInfo>, specials: Specials, prefix: &Prefix) -> Self {
        let mut marked = Vec::new();
        let refused = Vec::new();
        if entries.iter().any(|entry| entry.special.is_some()) {
            let marks = specials == Specials::GiveAndMark;
            let links = entries
                .iter()
                .filter(|entry| marks && entry.special.is_some());
            let relative = links.filter_map(|entry| entry.path.strip_prefix(prefix));
            marked.extend(relative.map(|path| format!("{path}/").into()));
            entries.retain(|entry| specials != Specials::LeaveOut || entry.special.is_none());
        }
        Self {
            entries,
            marked,
            refused,
        }
    }
}

/// What a walk does with links that are not followed, FIFOs, sockets and devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Specials {
    LeaveOut,
    Give,
    /// Give them, and mark what the other side has below their names.
    GiveAndMark,
}

/// What a walk gives.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) directories: bool,
    pub(crate) specials: Specials,
    pub(crate) links: Links,
    /// Judges by path.
    pub(crate) filter: Option<&'a Filter>,
}

/// A recursive, sorted listing of one tree, requested ahead in a task of its own. Holds a few pages.
#[derive(Debug)]
pub(crate) struct Walk {
    pages: Option<mpsc::Receiver<Page>>,
    page: std::vec::IntoIter<ObjectInfo>,
    /// Directories that a marker excludes, or that are links, but for those passed already.
    marked: BTreeSet<Box<str>>,
    refused: Vec<Refused>,
    /// Length of the prefix that every key starts with.
    base: usize,
    /// The key of the one entry, where it is another than its path's.
    key: Option<ObjectPath>,
    task: Option<Task<()>>,
}

impl Walk {
    /// Lists everything that is wanted.
    pub(crate) fn start(side: &Side, wanted: Wanted<'_>, options: &Options) -> Self {
        let Wanted {
            directories,
            specials,
            links,
            filter,
        } = wanted;
        let (tree, tries) = (&side.tree, options.request_tries);
        let (sender, pages) = mpsc::channel(AHEAD);
        let order = KeyOrder::of(tree.prefix().clone());
        let backend = Arc::clone(tree.backend());
        let task = match filter {
            Some(filter) if walks_levels(side, filter) => {
                let levels = Levels {
                    lister: Lister {
                        backend,
                        filter: filter.clone(),
                        limit: options.page_size,
                        tries,
                        links,
                    },
                    directories,
                    specials,
                    order,
                    pages: sender,
                };
                Task::spawn(levels.send_all())
            }
            _ => {
                let mut listed = ListOptions::default()
                    .recursive(true)
                    .directories(directories)
                    .links(links);
                if let Some(limit) = options.page_size {
                    listed = listed.limit(limit);
                }
                let listing = Listing {
                    backend,
                    tries,
                    order,
                    specials,
                    sieve: filter.cloned().map(Sieve::new),
                };
                Task::spawn(listing.send_all(listed, sender))
            }
        };
        Self {
            pages: Some(pages),
            page: Vec::new().into_iter(),
            marked: BTreeSet::new(),
            refused: Vec::new(),
            base: tree.prefix().len(),
            key: None,
            task: Some(task),
        }
    }

    /// A walk of what is known already, with keys that start with `base` bytes of prefix.
    pub(crate) fn of(entry: Option<ObjectInfo>, base: usize) -> Self {
        Self {
            pages: None,
            page: Vec::from_iter(entry).into_iter(),
            marked: BTreeSet::new(),
            refused: Vec::new(),
            base,
            key: None,
            task: None,
        }
    }

    /// Gives the one entry another key.
    pub(crate) fn with_key(mut self, key: Option<ObjectPath>) -> Self {
        self.key = key;
        self
    }

    /// Makes [`head`](Self::head) the next entry. Cancel safe.
    pub(crate) async fn fill(&mut self) -> Result<(), SyncError> {
        while self.page.as_slice().is_empty() {
            let Some(pages) = &mut self.pages else {
                return Ok(());
            };
            match pages.recv().await {
                Some(Ok(batch)) => {
                    self.page = batch.entries.into_iter();
                    self.marked.extend(batch.marked);
                    self.refused.extend(batch.refused);
                }
                Some(Err(error)) => {
                    self.pages = None;
                    return Err(error);
                }
                None => {
                    self.pages = None;
                    return self.task_result().await;
                }
            }
        }
        Ok(())
    }

    /// The end of the pages is the end of the listing only if the task did not break off.
    async fn task_result(&mut self) -> Result<(), SyncError> {
        match self.task.take() {
            Some(task) => task
                .await
                .map_err(|error| SyncError::Task(error.to_string())),
            None => Ok(()),
        }
    }

    /// What was met so far and could not be taken.
    pub(crate) fn take_refused(&mut self) -> Vec<Refused> {
        std::mem::take(&mut self.refused)
    }

    /// The next entry, once filled; `None` at the end.
    pub(crate) fn head(&self) -> Option<&ObjectInfo> {
        self.page.as_slice().first()
    }

    /// Takes the next entry.
    pub(crate) fn take(&mut self) -> Option<ObjectInfo> {
        self.page.next()
    }

    /// Passes over the next entry.
    pub(crate) fn drop_head(&mut self) {
        drop(self.page.next());
    }

    /// Whether the next entry lies below the directory `path`.
    pub(crate) fn is_below(&self, path: &str) -> bool {
        self.head().is_some_and(|next| {
            let rest = self.relative(next).strip_prefix(path);
            rest.is_some_and(|rest| rest.starts_with('/'))
        })
    }

    /// Whether a directory above the key, which may be the other side's, is left out here. Keys have
    /// to be asked for in order, each up to the head of this walk.
    pub(crate) fn is_marked(&mut self, key: &str) -> bool {
        while let Some(first) = self.marked.first()
            && **first < *key
            && !key.starts_with(&**first)
        {
            self.marked.pop_first();
        }
        let up_to = (Bound::Unbounded, Bound::Included(key));
        let last = self.marked.range::<str, _>(up_to).next_back();
        last.is_some_and(|directory| key.starts_with(&**directory))
    }

    /// Whether [`is_marked`](Self::is_marked) may be true of some key.
    pub(crate) fn has_marked(&self) -> bool {
        !self.marked.is_empty()
    }

    /// The part of an entry's key below the tree's prefix.
    pub(crate) fn relative<'a>(&'a self, info: &'a ObjectInfo) -> &'a str {
        match &self.key {
            Some(key) => key,
            None => info.path.get(self.base..).unwrap_or(""),
        }
    }
}

/// Whether the filter is better asked for each directory before it is listed. Where there are none,
/// one request lists as many objects whatever the directories: then entries are sorted out.
fn walks_levels(side: &Side, filter: &Filter) -> bool {
    let prunes = side.features.directories && filter.prunes();
    prunes || filter.max_depth().is_some() || !filter.markers().is_empty()
}

/// The part of a walk that asks the backend.
struct Listing {
    backend: Arc<dyn Backend>,
    tries: u32,
    order: KeyOrder,
    specials: Specials,
    sieve: Option<Sieve>,
}

impl Listing {
    async fn send_all(mut self, mut options: ListOptions, pages: mpsc::Sender<Page>) {
        let prefix = self.order.prefix().clone();
        loop {
            let request = || self.backend.list(&prefix, options.clone());
            let page = retrying(self.tries, request).await;
            let page = page.map_err(|error| error.on(Operation::List, self.backend.name()));
            let (page, next) = match page {
                Ok(page) => (self.taken(page.entries), page.next),
                Err(error) => (Err(error.into()), None),
            };
            let failed = page.is_err();
            if pages.send(page).await.is_err() || failed || next.is_none() {
                return;
            }
            options = options.cursor(next);
        }
    }

    fn taken(&mut self, mut entries: Vec<ObjectInfo>) -> Page {
        let refused = Refused::sort_out(&mut entries, self.backend.name());
        self.order.check(self.backend.name(), &entries)?;
        if let Some(sieve) = &mut self.sieve {
            let order = &self.order;
            entries.retain(|entry| sieve.keeps(order.relative(entry), entry.is_dir));
        }
        let mut batch = Batch::of(entries, self.specials, self.order.prefix());
        batch.refuse(refused, self.order.prefix());
        Ok(batch)
    }
}

/// Checks that entries come below a prefix and in order.
#[derive(Debug)]
pub(crate) struct KeyOrder {
    prefix: Prefix,
    last: Option<ObjectInfo>,
}

impl KeyOrder {
    pub(crate) const fn of(prefix: Prefix) -> Self {
        Self { prefix, last: None }
    }

    pub(crate) const fn prefix(&self) -> &Prefix {
        &self.prefix
    }

    /// The part of an entry's key below the prefix.
    pub(crate) fn relative<'a>(&self, info: &'a ObjectInfo) -> &'a str {
        info.path.get(self.prefix.len()..).unwrap_or("")
    }

    /// A key out of order would look like one that the other side has alone, and be deleted or sent
    /// for nothing: the merge may rely on the order only because it is checked here.
    pub(crate) fn check(
        &mut self,
        backend: &'static str,
        entries: &[ObjectInfo],
    ) -> Result<(), SyncError> {
        let mut last = self.last.as_ref();
        for entry in entries {
            let after = last.is_none_or(|last| last.listing_cmp(entry) == Ordering::Less);
            if !after || entry.path.strip_prefix(&self.prefix).is_none() {
                let path = entry.path.clone();
                return Err(SyncError::BadListing { backend, path });
            }
            last = Some(entry);
        }
        if let Some(last) = entries.last() {
            let key = ObjectInfo::new(last.path.clone());
            self.last = Some(if last.is_dir {
                ObjectInfo::directory(key.path)
            } else {
                key
            });
        }
        Ok(())
    }
}

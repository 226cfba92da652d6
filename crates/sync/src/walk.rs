use std::cmp::Ordering;
use std::sync::Arc;

use storage_core::{Backend, ListOptions, ObjectInfo, ObjectPath, Operation, Prefix};
use tokio::sync::mpsc;

use crate::retry::retrying;
use crate::task::Task;
use crate::{Options, SyncError, Tree};

/// Pages that are listed ahead of the comparison.
const AHEAD: usize = 2;

type Page = Result<Vec<ObjectInfo>, SyncError>;

/// A recursive, sorted listing of one tree, requested ahead in a task of its own. Holds a few pages.
#[derive(Debug)]
pub(crate) struct Walk {
    pages: Option<mpsc::Receiver<Page>>,
    page: std::vec::IntoIter<ObjectInfo>,
    /// Length of the prefix that every key starts with.
    base: usize,
    /// The key of the one entry, where it is another than its path's.
    key: Option<ObjectPath>,
    task: Option<Task<()>>,
}

impl Walk {
    pub(crate) fn start(tree: &Tree, directories: bool, options: &Options) -> Self {
        let mut listed = ListOptions::default()
            .recursive(true)
            .directories(directories);
        if let Some(limit) = options.page_size {
            listed = listed.limit(limit);
        }
        let (sender, pages) = mpsc::channel(AHEAD);
        let listing = Listing {
            backend: Arc::clone(tree.backend()),
            prefix: tree.prefix().clone(),
            tries: options.request_tries,
            last: None,
        };
        Self {
            pages: Some(pages),
            page: Vec::new().into_iter(),
            base: tree.prefix().len(),
            key: None,
            task: Some(Task::spawn(listing.send_all(listed, sender))),
        }
    }

    /// A walk of what is known already, with keys that start with `base` bytes of prefix.
    pub(crate) fn of(entry: Option<ObjectInfo>, base: usize) -> Self {
        Self {
            pages: None,
            page: Vec::from_iter(entry).into_iter(),
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
                Some(Ok(page)) => self.page = page.into_iter(),
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

    /// The next entry, once filled; `None` at the end.
    pub(crate) fn head(&self) -> Option<&ObjectInfo> {
        self.page.as_slice().first()
    }

    /// Takes the next entry.
    pub(crate) fn take(&mut self) -> Option<ObjectInfo> {
        self.page.next()
    }

    /// Whether the next entry lies below the directory `path`.
    pub(crate) fn is_below(&self, path: &str) -> bool {
        self.head().is_some_and(|next| {
            let rest = self.relative(next).strip_prefix(path);
            rest.is_some_and(|rest| rest.starts_with('/'))
        })
    }

    /// The part of an entry's key below the tree's prefix.
    pub(crate) fn relative<'a>(&'a self, info: &'a ObjectInfo) -> &'a str {
        match &self.key {
            Some(key) => key,
            None => info.path.get(self.base..).unwrap_or(""),
        }
    }
}

/// The side of a walk that asks the backend.
struct Listing {
    backend: Arc<dyn Backend>,
    prefix: Prefix,
    tries: u32,
    last: Option<ObjectInfo>,
}

impl Listing {
    async fn send_all(mut self, mut options: ListOptions, pages: mpsc::Sender<Page>) {
        loop {
            let request = || self.backend.list(&self.prefix, options.clone());
            let page = retrying(self.tries, request).await;
            let page = page.map_err(|error| error.on(Operation::List, self.backend.name()));
            let (page, next) = match page {
                Ok(page) => (self.checked(page.entries), page.next),
                Err(error) => (Err(error.into()), None),
            };
            let failed = page.is_err();
            if pages.send(page).await.is_err() || failed || next.is_none() {
                return;
            }
            options = options.cursor(next);
        }
    }

    /// A key out of order would look like one that the other side has alone, and be deleted or sent
    /// for nothing: the merge may rely on the order only because it is checked here.
    fn checked(&mut self, entries: Vec<ObjectInfo>) -> Page {
        let mut last = self.last.as_ref();
        for entry in &entries {
            let after = last.is_none_or(|last| last.listing_cmp(entry) == Ordering::Less);
            if !after || entry.path.strip_prefix(&self.prefix).is_none() {
                return Err(SyncError::BadListing {
                    backend: self.backend.name(),
                    path: entry.path.clone(),
                });
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
        Ok(entries)
    }
}

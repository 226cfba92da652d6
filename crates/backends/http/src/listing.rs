use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use storage_core::{Cursor, ListFilter, ListPage, ListParts, Prefix, Result};

use crate::walk::{Scope, Walk};

/// Entries of a page unless the caller says.
pub(crate) const DEFAULT_LIMIT: usize = 1000;

/// Walks that are kept for the page that follows.
const MAX_KEPT: usize = 4;

/// Walks that have given a page and wait for the next to be asked for. One that is not there any more
/// is walked again from the top down to its cursor.
#[derive(Debug, Default)]
pub(crate) struct Kept(Mutex<VecDeque<Walk>>);

impl Kept {
    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    /// The walk that goes on with this scope.
    pub(crate) fn take(&self, scope: &Scope) -> Option<Walk> {
        let mut walks = self.lock();
        let at = walks.iter().position(|walk| walk.scope() == scope)?;
        walks.remove(at)
    }

    fn keep(&self, walk: Walk) {
        let mut walks = self.lock();
        if walks.len() >= MAX_KEPT {
            walks.pop_front();
        }
        walks.push_back(walk);
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Walk>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a walk for these options covers.
pub(crate) fn scope(prefix: &Prefix, parts: &ListParts, filter: &ListFilter) -> Scope {
    Scope {
        prefix: prefix.clone(),
        recursive: parts.recursive,
        starts_with: filter.starts_with().to_owned(),
        after: filter.after().map(str::to_owned),
    }
}

/// One page of a walk. What is left is kept for the next.
pub(crate) async fn page(
    mut walk: Walk,
    parts: &ListParts,
    filter: &ListFilter,
    kept: &Kept,
) -> Result<ListPage> {
    let ListParts {
        cursor: _,
        limit,
        start_after: _,
        recursive: _,
        // A recursive listing has none to include: there are no calls that make or remove one.
        directories: _,
        name_starts_with: _,
        glob: _,
        // The server shows what they lead to.
        links: _,
    } = *parts;
    let limit = limit.unwrap_or(DEFAULT_LIMIT);
    let mut page = ListPage::default();
    while let Some(entry) = walk.next().await? {
        if !filter.accepts(&entry.path, entry.is_dir) {
            continue;
        }
        if page.entries.len() >= limit {
            let last = page.entries.last().map(|last| last.listing_key());
            if let Some(last) = last {
                walk.give_back(entry, &last);
                kept.keep(walk);
                page.next = Some(Cursor::new(last));
            }
            return Ok(page);
        }
        page.entries.push(entry);
    }
    Ok(page)
}

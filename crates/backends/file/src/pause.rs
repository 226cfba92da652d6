//! Pages of listings, and the walks that wait between two of them.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use storage_core::{
    Cursor, Error, Glob, Links, ListFilter, ListOptions, ListPage, ListParts, ObjectInfo, Prefix,
    Result,
};

use crate::tree::Tree;
use crate::walk::{Scope, Walk};

/// Entries of a page when the caller gives no limit.
const PAGE: usize = 1000;
/// Walks that wait at once; the longest unused goes first.
const WALKS: usize = 16;
/// Bytes that waiting walks may hold together.
const WEIGHT: usize = 64 << 20;

/// Walks that wait for their cursor to come back.
///
/// A cursor names its walk and the last key given. If the walk is gone, or the cursor is used a
/// second time, a new walk starts after that key.
#[derive(Debug, Default)]
pub(crate) struct PausedWalks {
    walks: Mutex<VecDeque<Paused>>,
    last_id: AtomicU64,
}

#[derive(Debug)]
struct Paused {
    id: u64,
    request: Request,
    /// The last key that was given.
    last: String,
    walk: Walk,
}

/// What a listing was asked for, apart from cursor and limit.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Request {
    prefix: Prefix,
    start_after: Option<String>,
    recursive: bool,
    directories: bool,
    name_starts_with: Option<String>,
    glob: Option<Glob>,
    links: Links,
}

impl PausedWalks {
    /// Forgets all of them.
    pub(crate) fn clear(&self) {
        self.walks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    fn keep(&self, request: Request, last: String, mut walk: Walk) -> Cursor {
        walk.rest();
        let id = self.last_id.fetch_add(1, Ordering::Relaxed);
        let cursor = Cursor::new(format!("{id}:{last}"));
        let mut walks = self.walks.lock().unwrap_or_else(PoisonError::into_inner);
        walks.push_back(Paused {
            id,
            request,
            last,
            walk,
        });
        let weight =
            |walks: &VecDeque<Paused>| walks.iter().map(|p| p.walk.weight()).sum::<usize>();
        while walks.len() > WALKS || (walks.len() > 1 && weight(&walks) > WEIGHT) {
            walks.pop_front();
        }
        cursor
    }

    fn take(&self, id: u64, request: &Request, last: &str) -> Option<Walk> {
        let mut walks = self.walks.lock().unwrap_or_else(PoisonError::into_inner);
        let at = walks.iter().position(|paused| paused.id == id)?;
        let paused = walks.remove(at)?;
        (paused.request == *request && paused.last == last).then_some(paused.walk)
    }
}

/// One page of a listing. Blocks.
pub(crate) fn page(tree: &Tree, prefix: &Prefix, options: ListOptions) -> Result<ListPage> {
    let ListParts {
        cursor,
        limit,
        start_after,
        recursive,
        directories,
        name_starts_with,
        glob,
        links,
    } = options.into_parts();
    let request = Request {
        prefix: prefix.clone(),
        start_after,
        recursive,
        directories,
        name_starts_with,
        glob,
        links,
    };
    let limit = limit.unwrap_or(PAGE);
    if limit == 0 {
        return Ok(ListPage::default());
    }
    let position = cursor.as_ref().map(parse).transpose()?;
    let waiting = position.and_then(|(id, last)| tree.paused.take(id, &request, last));
    let mut walk = match waiting {
        Some(walk) => walk,
        None => request.start(tree, position.map(|(_, last)| last))?,
    };
    let mut entries = Vec::new();
    let more = walk.fill(tree, limit, &mut entries)?;
    let last = entries.last().map(ObjectInfo::listing_key);
    let next = last
        .filter(|_| more)
        .map(|last| tree.paused.keep(request, last, walk));
    Ok(ListPage { entries, next })
}

impl Request {
    fn start(&self, tree: &Tree, last: Option<&str>) -> Result<Walk> {
        let parts = ListParts {
            cursor: last.map(Cursor::new),
            limit: None,
            start_after: self.start_after.clone(),
            recursive: self.recursive,
            directories: self.directories,
            name_starts_with: self.name_starts_with.clone(),
            glob: self.glob.clone(),
            links: self.links,
        };
        let scope = Scope {
            recursive: self.recursive,
            directories: self.directories,
            links: self.links,
            filter: ListFilter::new(&self.prefix, &parts),
        };
        Walk::start(tree, &self.prefix, scope)
    }
}

fn parse(cursor: &Cursor) -> Result<(u64, &str)> {
    cursor
        .as_str()
        .split_once(':')
        .and_then(|(id, last)| Some((id.parse().ok()?, last)))
        .ok_or_else(|| Error::config("the cursor is not one of this backend"))
}

//! Listings by the names as they are before encryption.
//!
//! Encrypted names have another order, so one level at a time is decrypted and sorted: memory is that
//! of the largest directories on the way down.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use storage_core::{
    Backend, BackendExt, Cursor, Links, ListFilter, ListOptions, ListPage, ListParts, ObjectInfo,
    Prefix, Result, Special,
};

use super::key::fill_random;
use super::names::NameCipher;
use super::naming::foreign;

/// Entries of a page whose size nobody chose.
const PAGE: usize = 1000;

/// Walks that are kept for their next page.
const KEPT: usize = 8;

/// What is left of the levels on the way down.
type Stack = Vec<std::vec::IntoIter<ObjectInfo>>;

/// Where recent pages ended, so that the next page need not list and sort again. A walk whose place
/// is lost, or that was begun elsewhere, goes on after the last key.
#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<VecDeque<(String, Stack)>>);

impl Kept {
    fn take(&self, token: &str) -> Option<Stack> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.iter().position(|(own, _)| own == token)?;
        kept.remove(found).map(|(_, stack)| stack)
    }

    fn keep(&self, token: String, stack: Stack) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT {
            kept.pop_front();
        }
        kept.push_back((token, stack));
    }
}

/// A listing of one store.
pub(super) struct Listing<'a, B> {
    pub(super) below: &'a B,
    pub(super) cipher: &'a NameCipher,
    pub(super) skip_foreign: bool,
    pub(super) kept: &'a Kept,
}

impl<B: Backend> Listing<'_, B> {
    pub(super) async fn page(&self, prefix: &Prefix, options: ListOptions) -> Result<ListPage> {
        let mut parts = options.into_parts();
        let limit = parts.limit.unwrap_or(PAGE);
        if limit == 0 {
            return Ok(ListPage::default());
        }
        let token = parts.cursor.take();
        let kept = token
            .as_ref()
            .and_then(|token| self.kept.take(token.as_str()));
        if let Some((_, key)) = token.as_ref().and_then(|t| t.as_str().split_once(':')) {
            parts.cursor = Some(Cursor::new(key));
        }
        let filter = ListFilter::new(prefix, &parts);
        let mut stack = match kept {
            Some(stack) => stack,
            None => vec![self.level(prefix, &parts).await?],
        };
        let mut entries: Vec<ObjectInfo> = Vec::new();
        while let Some(level) = stack.last_mut() {
            let Some(entry) = level.next() else {
                stack.pop();
                continue;
            };
            let enters = parts.recursive && entry.is_dir && enters(&entry, &filter);
            let wanted = !parts.recursive || !entry.is_dir || parts.directories;
            let down = enters.then(|| entry.path.as_prefix());
            if wanted && filter.accepts(&entry.path, entry.is_dir) {
                entries.push(told(entry, &parts));
            }
            if let Some(down) = down {
                stack.push(self.level(&down, &parts).await?);
            }
            if entries.len() >= limit {
                return self.cut(entries, stack);
            }
        }
        Ok(ListPage {
            entries,
            next: None,
        })
    }

    /// A full page, and the way to the next one if anything is left.
    fn cut(&self, entries: Vec<ObjectInfo>, stack: Stack) -> Result<ListPage> {
        let last = entries.last().map(ObjectInfo::listing_key);
        let Some(last) = last.filter(|_| stack.iter().any(|level| level.len() > 0)) else {
            return Ok(ListPage {
                entries,
                next: None,
            });
        };
        let mut nonce = [0; 8];
        fill_random(&mut nonce)?;
        let token = format!("{:x}:{last}", u64::from_le_bytes(nonce));
        self.kept.keep(token.clone(), stack);
        Ok(ListPage {
            entries,
            next: Some(Cursor::new(token)),
        })
    }

    /// Everything directly below a prefix, decrypted and sorted.
    async fn level(
        &self,
        prefix: &Prefix,
        parts: &ListParts,
    ) -> Result<std::vec::IntoIter<ObjectInfo>> {
        // Directories behind links are not entered, and look like any other if links are resolved.
        let resolves = parts.recursive && parts.links == Links::Resolve;
        let links = if resolves { Links::Show } else { parts.links };
        let sealed = self.cipher.seal_prefix(prefix)?;
        let mut found = self
            .below
            .entries(sealed, ListOptions::default().links(links));
        let mut level = Vec::new();
        while let Some(entry) = found.next().await {
            let mut entry = match self.resolved(entry?, resolves).await? {
                Some(entry) => entry,
                None => continue,
            };
            match self.cipher.open(entry.path.file_name()) {
                Some(name) => {
                    entry.path = prefix.join(name)?;
                    level.push(entry);
                }
                None if self.skip_foreign => {}
                None => return Err(foreign(&entry.path)),
            }
        }
        level.sort_unstable_by(ObjectInfo::listing_cmp);
        Ok(level.into_iter())
    }

    /// A link as what it leads to, where links are to be resolved; `None` for what leads nowhere.
    async fn resolved(&self, entry: ObjectInfo, resolves: bool) -> Result<Option<ObjectInfo>> {
        match &entry.special {
            Some(Special::Link { .. }) if resolves => {
                let target = self.below.try_stat(&entry.path).await?;
                Ok(target.map(|mut info| {
                    info.special = info.is_dir.then_some(Special::Closed);
                    info
                }))
            }
            Some(Special::Device | Special::Unnamable) if resolves => Ok(None),
            _ => Ok(Some(entry)),
        }
    }
}

/// The entry as its caller sees it: that it lies behind a link is for the walk alone.
fn told(mut entry: ObjectInfo, parts: &ListParts) -> ObjectInfo {
    if parts.recursive && parts.links == Links::Resolve && entry.is_dir {
        entry.special = None;
    }
    entry
}

/// Whether anything below a directory may be wanted.
fn enters(directory: &ObjectInfo, filter: &ListFilter) -> bool {
    let key = directory.listing_key();
    let starts = filter.starts_with();
    let wanted = starts.starts_with(&key) || key.starts_with(starts);
    let passed = filter
        .after()
        .is_some_and(|after| !after.starts_with(&key) && after > key.as_str());
    directory.special.is_none() && wanted && !passed
}

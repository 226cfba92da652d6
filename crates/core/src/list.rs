use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use futures_core::Stream;

use crate::options::ListParts;
use crate::{Glob, ListOptions, ObjectInfo, ObjectPath, Prefix, Result};

/// Where a listing goes on: the opaque end of a [`ListPage`].
///
/// It stays valid while objects come and go: a walk that follows cursors sees every key that is
/// present throughout exactly once.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Cursor(Arc<str>);

impl Cursor {
    /// Wraps a backend's token.
    #[must_use]
    pub fn new(token: impl Into<Arc<str>>) -> Self {
        Self(token.into())
    }

    /// The token.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

/// One page of a listing, sorted in byte order of the full keys, where a directory sorts as `name/`.
#[derive(Debug, Clone, Default)]
pub struct ListPage {
    /// The entries; may be empty although more follow.
    pub entries: Vec<ObjectInfo>,
    /// Where the next page starts; `None` after the last.
    pub next: Option<Cursor>,
}

impl ListPage {
    /// A page of the whole, sorted content of a store: for backends whose store has no listing of
    /// its own. Takes prefix, levels, filters, cursor and limit into account; reads `objects` up to
    /// the end of the page.
    pub fn of_sorted(
        prefix: &Prefix,
        options: ListOptions,
        objects: impl IntoIterator<Item = ObjectInfo>,
    ) -> Self {
        let parts = options.into_parts();
        let filter = ListFilter::new(prefix, &parts);
        let limit = parts.limit.unwrap_or(1000);
        let mut entries: Vec<ObjectInfo> = Vec::new();
        for info in objects {
            let Some(rest) = info.path.strip_prefix(prefix) else {
                continue;
            };
            let info = match rest.find('/') {
                Some(slash) if !parts.recursive => {
                    let dir = &info.path.as_str()[..prefix.len() + slash];
                    match entries.last() {
                        Some(last) if last.is_dir && last.path.as_str() == dir => continue,
                        _ => ObjectPath::new(dir)
                            .map(ObjectInfo::directory)
                            .unwrap_or(info),
                    }
                }
                _ => info,
            };
            if !filter.accepts(&info.path, info.is_dir) {
                continue;
            }
            if entries.len() >= limit {
                let next = entries.last().map(|last| Cursor::new(last.listing_key()));
                return Self { entries, next };
            }
            entries.push(info);
        }
        Self {
            entries,
            next: None,
        }
    }
}

impl ObjectInfo {
    /// The key that this entry sorts by in a listing: a directory's ends with `/`.
    #[must_use]
    pub fn listing_key(&self) -> String {
        if self.is_dir {
            format!("{}/", self.path)
        } else {
            self.path.as_str().to_owned()
        }
    }

    /// The order of listings, without building keys.
    #[must_use]
    pub fn listing_cmp(&self, other: &Self) -> std::cmp::Ordering {
        fn key(info: &ObjectInfo) -> impl Iterator<Item = u8> + '_ {
            info.path.bytes().chain(info.is_dir.then_some(b'/'))
        }
        match (self.is_dir, other.is_dir) {
            (false, false) => self.path.cmp(&other.path),
            _ => key(self).cmp(key(other)),
        }
    }
}

/// The filters of one listing: `start_after`, cursor, `name_starts_with` and glob.
///
/// The cursor's token is taken to be the last entry's [`listing_key`](ObjectInfo::listing_key); a
/// backend with tokens of its own takes `cursor` out of the parts first.
#[derive(Debug)]
pub struct ListFilter {
    starts_with: String,
    after: Option<String>,
    glob: Option<Glob>,
}

impl ListFilter {
    /// The filters of `parts` for a listing of `prefix`.
    #[doc(hidden)]
    #[must_use]
    pub fn new(prefix: &Prefix, parts: &ListParts) -> Self {
        let cursor = parts.cursor.as_ref().map(Cursor::as_str);
        Self {
            starts_with: format!(
                "{prefix}{}",
                parts.name_starts_with.as_deref().unwrap_or("")
            ),
            after: parts.start_after.as_deref().max(cursor).map(str::to_owned),
            glob: parts.glob.clone(),
        }
    }

    /// The full text that every accepted key starts with.
    #[must_use]
    pub fn starts_with(&self) -> &str {
        &self.starts_with
    }

    /// The key that every accepted key sorts after.
    #[must_use]
    pub fn after(&self) -> Option<&str> {
        self.after.as_deref()
    }

    /// Whether an entry with this path passes.
    #[must_use]
    pub fn accepts(&self, path: &str, is_dir: bool) -> bool {
        let after = match &self.after {
            None => true,
            Some(after) if is_dir => path.bytes().chain(*b"/").gt(after.bytes()),
            Some(after) => path > after.as_str(),
        };
        after
            && path.starts_with(&self.starts_with)
            && self
                .glob
                .as_ref()
                .is_none_or(|glob| glob.matches(path.rsplit('/').next().unwrap_or(path)))
    }
}

/// All entries of a listing, page after page: what
/// [`BackendExt::entries`](crate::BackendExt::entries) returns.
///
/// Holds one page. Ends after the first error. Dropping it ends the walk.
pub struct Entries<'a>(Pin<Box<dyn Stream<Item = Result<ObjectInfo>> + Send + 'a>>);

impl<'a> Entries<'a> {
    pub(crate) fn new(stream: impl Stream<Item = Result<ObjectInfo>> + Send + 'a) -> Self {
        Self(Box::pin(stream))
    }

    /// The next entry, `None` at the end. Cancel safe.
    pub async fn next(&mut self) -> Option<Result<ObjectInfo>> {
        std::future::poll_fn(|cx| self.0.as_mut().poll_next(cx)).await
    }

    /// All that is left.
    ///
    /// # Errors
    /// The first error of a page.
    pub async fn collect(mut self) -> Result<Vec<ObjectInfo>> {
        let mut all = Vec::new();
        while let Some(entry) = self.next().await {
            all.push(entry?);
        }
        Ok(all)
    }
}

impl Stream for Entries<'_> {
    type Item = Result<ObjectInfo>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(cx)
    }
}

impl fmt::Debug for Entries<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entries").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(keys: &[&str]) -> Vec<ObjectInfo> {
        keys.iter()
            .map(|key| ObjectInfo::new(ObjectPath::new(key).unwrap()))
            .collect()
    }

    fn keys(page: &ListPage) -> Vec<String> {
        page.entries.iter().map(ObjectInfo::listing_key).collect()
    }

    #[test]
    fn pages_of_a_sorted_store() {
        let all = store(&["a", "a.b", "a/1", "a/2", "a0", "b/c/d"]);
        let root = Prefix::root();
        let one_level = ListPage::of_sorted(&root, ListOptions::default(), all.clone());
        assert_eq!(keys(&one_level), ["a", "a.b", "a/", "a0", "b/"]);

        let mut seen = Vec::new();
        let mut cursor = None;
        loop {
            let options = ListOptions::default().limit(2).cursor(cursor);
            let page = ListPage::of_sorted(&root, options, all.clone());
            seen.extend(keys(&page));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, keys(&one_level));

        let below = ListPage::of_sorted(
            &Prefix::new("a").unwrap(),
            ListOptions::default().recursive(true).start_after("a/1"),
            all,
        );
        assert_eq!(keys(&below), ["a/2"]);
    }
}

use futures_util::StreamExt;
use s3s::S3Result;
use storage_core::{BackendExt, ListOptions, ObjectInfo, Prefix};

use crate::error::from_storage;
use crate::gateway::Gateway;

/// Most entries that are asked of the backend at a time.
const MAX_PAGE: usize = 1000;

/// What to list of a bucket.
#[derive(Debug, Default)]
pub(crate) struct Query {
    pub(crate) bucket: String,
    pub(crate) prefix: String,
    pub(crate) delimiter: Option<String>,
    /// Only what sorts after this key. When it lies in a group, the whole group is passed.
    pub(crate) after: Option<String>,
    pub(crate) limit: usize,
}

/// An object, by its key, or the start that a group of keys has in common.
#[derive(Debug)]
pub(crate) enum Entry {
    Object(String, Box<ObjectInfo>),
    Group(String),
}

impl Entry {
    pub(crate) fn key(&self) -> &str {
        match self {
            Self::Object(key, _) | Self::Group(key) => key,
        }
    }
}

/// Some entries in order, and whether there are more.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) entries: Vec<Entry>,
    pub(crate) truncated: bool,
}

impl Query {
    /// The group that a key belongs to: all up to the first delimiter after the prefix.
    fn group<'a>(&self, key: &'a str) -> Option<&'a str> {
        let delimiter = self.delimiter.as_deref()?;
        let rest = key.strip_prefix(self.prefix.as_str())?;
        let at = rest.find(delimiter)?;
        key.get(..self.prefix.len() + at + delimiter.len())
    }

    /// The folder to list and how; `None` when no key can lie there.
    fn to_listing(&self) -> Option<(Prefix, ListOptions)> {
        let (folder, start) = match self.prefix.rsplit_once('/') {
            Some((folder, start)) => (format!("{}/{folder}", self.bucket), start),
            None => (self.bucket.clone(), self.prefix.as_str()),
        };
        let one_level = self.delimiter.as_deref() == Some("/");
        let mut options = ListOptions::default()
            .recursive(!one_level)
            .limit(self.limit.saturating_add(1).min(MAX_PAGE));
        if !start.is_empty() {
            options = options.name_starts_with(start);
        }
        if let Some(after) = &self.after {
            options = options.start_after(format!("{}/{after}", self.bucket));
        }
        Some((Prefix::new(folder).ok()?, options))
    }
}

impl Gateway {
    /// Walks a bucket up to the limit. Holds one page of the backend and one of the answer.
    pub(crate) async fn page(&self, query: &Query) -> S3Result<Page> {
        let mut page = Page::default();
        let Some((prefix, options)) = query.to_listing().filter(|_| query.limit > 0) else {
            return Ok(page);
        };
        let after = query.after.as_deref();
        let mut passed = after
            .and_then(|after| query.group(after))
            .map(str::to_owned);
        let mut listed = self.backend.entries(prefix, options);
        while let Some(info) = listed.next().await {
            let info = info.map_err(from_storage)?;
            let listed = info.listing_key();
            let Some(key) = listed.get(query.bucket.len() + 1..) else {
                continue;
            };
            if passed
                .as_deref()
                .is_some_and(|group| key.starts_with(group))
            {
                continue;
            }
            if page.entries.len() >= query.limit {
                page.truncated = true;
                break;
            }
            page.entries.push(match query.group(key) {
                Some(group) => {
                    passed = Some(group.to_owned());
                    Entry::Group(group.to_owned())
                }
                None => Entry::Object(key.to_owned(), Box::new(info)),
            });
        }
        Ok(page)
    }

    /// The object as its attributes tell it, for backends that leave them out of listings.
    pub(crate) async fn completed(&self, entries: Vec<Entry>) -> S3Result<Vec<Entry>> {
        let complete = |entry| async move {
            let Entry::Object(key, info) = entry else {
                return Ok(Some(entry));
            };
            if info.metadata.contains_key(crate::object::RECORD) {
                return Ok(Some(Entry::Object(key, info)));
            }
            // One that was deleted meanwhile is left out.
            let found = self.stat(&info.path).await?;
            Ok(found.map(|info| Entry::Object(key, Box::new(info))))
        };
        let completed = futures_util::stream::iter(entries).map(complete);
        let completed: Vec<S3Result<Option<Entry>>> = completed.buffered(16).collect().await;
        completed
            .into_iter()
            .filter_map(Result::transpose)
            .collect()
    }
}

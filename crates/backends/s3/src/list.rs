use std::sync::Arc;

use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::operation::list_objects_v2::builders::ListObjectsV2InputBuilder;
use aws_sdk_s3::types::{EncodingType, Object};
use storage_core::{
    Cursor, Error, ErrorKind, Links, ListFilter, ListOptions, ListPage, ListParts, ObjectInfo,
    ObjectPath, Prefix, Result,
};

use crate::attributes::time;
use crate::call::Repeat;
use crate::probe::is_probe;
use crate::signature::Payload;
use crate::store::Store;

/// Most keys that one request gives.
const PAGE: usize = 1000;

impl Store {
    /// One page, by as many requests as it takes to find an entry that passes the filters.
    pub(crate) async fn page(&self, prefix: &Prefix, options: ListOptions) -> Result<ListPage> {
        let parts = options.into_parts();
        let ListParts {
            limit,
            recursive,
            links,
            directories,
            ..
        } = &parts;
        // A store of objects has no links, and no directories but what keys have in common.
        let (_, _): (&Links, &bool) = (links, directories);
        let (limit, recursive) = (limit.unwrap_or(PAGE), *recursive);
        let name = parts.name_starts_with.as_deref().unwrap_or("");
        // No name on one level holds a `/`; what the store would give lies deeper.
        if limit == 0 || (!recursive && name.contains('/')) {
            return Ok(ListPage::default());
        }
        let filter = ListFilter::new(prefix, &parts);
        // What a glob refuses is asked for as well, and more of it at once.
        let keys = if parts.glob.is_some() { PAGE } else { limit };
        let mut from = filter.after().map(|after| Start::After(after.to_owned()));
        let mut page = ListPage::default();
        loop {
            let (entries, more) = self
                .keys(prefix, &filter, from.take(), recursive, keys)
                .await?;
            let last = entries.last().map(ObjectInfo::listing_key);
            for entry in entries {
                if !filter.accepts(&entry.path, entry.is_dir) {
                    continue;
                }
                if page.entries.len() == limit {
                    page.next = page
                        .entries
                        .last()
                        .map(|last| Cursor::new(last.listing_key()));
                    return Ok(page);
                }
                page.entries.push(entry);
            }
            let go_on = match more {
                None => return Ok(page),
                Some(Start::After(key)) => {
                    Start::After(last.filter(|last| *last > key).unwrap_or(key))
                }
                Some(token) => token,
            };
            if page.entries.len() == limit || page.entries.len() >= PAGE / 2 {
                page.next = match go_on {
                    Start::After(key) => Some(Cursor::new(key)),
                    Start::Token(_) => page
                        .entries
                        .last()
                        .map(|last| Cursor::new(last.listing_key())),
                };
                return Ok(page);
            }
            from = Some(go_on);
        }
    }

    /// The entries of one request, sorted, and where there are more.
    async fn keys(
        &self,
        prefix: &Prefix,
        filter: &ListFilter,
        from: Option<Start>,
        recursive: bool,
        limit: usize,
    ) -> Result<(Vec<ObjectInfo>, Option<Start>)> {
        let root = self.settings.prefix.as_str();
        let starts_with = format!("{root}{}", filter.starts_with());
        // What follows a directory follows all that is in it.
        let (start, token) = match from {
            Some(Start::After(after)) if !recursive && after.ends_with('/') => (
                Some(format!("{root}{after}{}", "\u{10ffff}".repeat(4))),
                None,
            ),
            Some(Start::After(after)) => (Some(format!("{root}{after}")), None),
            Some(Start::Token(token)) => (None, Some(token)),
            None => (None, None),
        };
        let keys = i32::try_from(limit.saturating_add(1).min(PAGE)).unwrap_or(1000);
        let reply = self.call("ListObjectsV2", Repeat::Freely, |_| {
            let request = ListObjectsV2InputBuilder::default();
            let request = request
                .bucket(&self.bucket)
                .prefix(&starts_with)
                .max_keys(keys)
                .set_encoding_type(Some(EncodingType::Url))
                .set_delimiter((!recursive).then(|| "/".to_owned()))
                .set_start_after(start.clone())
                .set_continuation_token(token.clone());
            self.send(request, &Payload::Empty)
        });
        let reply = reply.await?;
        self.entries(prefix, reply)
    }

    fn entries(
        &self,
        prefix: &Prefix,
        reply: ListObjectsV2Output,
    ) -> Result<(Vec<ObjectInfo>, Option<Start>)> {
        let names = Names::of(&reply);
        let (mut entries, mut last) = (Vec::new(), None::<String>);
        for object in reply.contents.unwrap_or_default() {
            let Some(key) = self.below(names, object.key.as_deref()) else {
                continue;
            };
            last = last.max(Some(key.clone()));
            entries.extend(self.object(prefix, &key, object));
        }
        for common in reply.common_prefixes.unwrap_or_default() {
            let Some(key) = self.below(names, common.prefix.as_deref()) else {
                continue;
            };
            let path = ObjectPath::new(key.strip_suffix('/').unwrap_or(&key));
            last = last.max(Some(key));
            entries.extend(path.map(ObjectInfo::directory));
        }
        entries.sort_by(ObjectInfo::listing_cmp);
        let more = match (reply.is_truncated.unwrap_or(false), last) {
            (false, _) => None,
            (true, Some(last)) => Some(Start::After(last)),
            (true, None) => Some(Start::Token(token_of(reply.next_continuation_token)?)),
        };
        Ok((entries, more))
    }

    /// The path of a key in a listing, below the backend's root.
    fn below(&self, names: Names, key: Option<&str>) -> Option<String> {
        let key = names.read(key?)?;
        if is_probe(&key) {
            return None;
        }
        key.strip_prefix(self.settings.prefix.as_str())
            .map(str::to_owned)
    }

    /// An entry; none for a key that is the marker of a directory, or that no path can name.
    fn object(&self, prefix: &Prefix, key: &str, object: Object) -> Option<ObjectInfo> {
        let path = match ObjectPath::new(key) {
            Ok(path) => path,
            Err(_) => {
                if !key.ends_with('/') {
                    tracing::debug!(key, "left out of the listing: no path names it");
                }
                return None;
            }
        };
        path.strip_prefix(prefix)?;
        let mut info = ObjectInfo::new(path);
        info.size = object.size.and_then(|size| u64::try_from(size).ok());
        // The time that was given at a write is in the metadata, which listings do not tell.
        let stored = object.last_modified.as_ref().and_then(time);
        match self.settings.server_modified {
            true => info.modified = stored,
            false => info.stored = stored,
        }
        info.etag = object.e_tag.map(|etag| Arc::from(etag.trim_matches('"')));
        Some(info)
    }
}

/// Where a listing goes on.
enum Start {
    After(String),
    /// The store's own word for it, where it named no key.
    Token(String),
}

/// The token of a listing that the store says to go on.
///
/// # Errors
/// `Corrupt` without one: what is left out would look deleted.
pub(crate) fn token_of(token: Option<String>) -> Result<String> {
    let message = "the store ends a listing in the middle and does not say where to go on";
    token.ok_or_else(|| Error::new(ErrorKind::Corrupt, message))
}

/// How a listing spells its keys: a store that was asked to encode them says whether it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    Plain,
    Encoded,
}

impl Names {
    pub(crate) fn of(reply: &ListObjectsV2Output) -> Self {
        match reply.encoding_type {
            Some(EncodingType::Url) => Self::Encoded,
            _ => Self::Plain,
        }
    }

    /// A key as the store has it; none for one that is no UTF-8.
    pub(crate) fn read(self, key: &str) -> Option<String> {
        if self == Self::Plain {
            return Some(key.to_owned());
        }
        let key = key.replace('+', " ");
        let key = percent_encoding::percent_decode_str(&key)
            .decode_utf8()
            .ok()?;
        Some(key.into_owned())
    }
}

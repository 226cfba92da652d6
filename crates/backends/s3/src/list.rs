use std::sync::Arc;

use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::types::Object;
use storage_core::{
    Cursor, Links, ListFilter, ListOptions, ListPage, ListParts, ObjectInfo, ObjectPath, Prefix,
    Result,
};

use crate::attributes::time;
use crate::call::Repeat;
use crate::failure::Failure;
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
        if limit == 0 {
            return Ok(ListPage::default());
        }
        let filter = ListFilter::new(prefix, &parts);
        let mut after = filter.after().map(str::to_owned);
        let mut page = ListPage::default();
        loop {
            let (entries, more) = self
                .keys(prefix, &filter, after.take(), recursive, limit)
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
            let Some(go_on) = more else { return Ok(page) };
            after = Some(last.filter(|last| *last > go_on).unwrap_or(go_on));
            if page.entries.len() == limit || page.entries.len() >= PAGE / 2 {
                page.next = after.map(Cursor::new);
                return Ok(page);
            }
        }
    }

    /// The entries of one request, sorted, and the key after which there are more.
    async fn keys(
        &self,
        prefix: &Prefix,
        filter: &ListFilter,
        after: Option<String>,
        recursive: bool,
        limit: usize,
    ) -> Result<(Vec<ObjectInfo>, Option<String>)> {
        let root = self.settings.prefix.as_str();
        let starts_with = format!("{root}{}", filter.starts_with());
        // What follows a directory follows all that is in it.
        let start = after.map(|after| match after.strip_suffix('/') {
            Some(_) if !recursive => format!("{root}{after}{}", "\u{10ffff}".repeat(4)),
            _ => format!("{root}{after}"),
        });
        let keys = i32::try_from(limit.saturating_add(1).min(PAGE)).unwrap_or(1000);
        let reply = self.call("ListObjectsV2", Repeat::Freely, |_| {
            let request = self.client.list_objects_v2().bucket(&self.bucket);
            let request = request
                .prefix(&starts_with)
                .max_keys(keys)
                .set_encoding_type(Some(aws_sdk_s3::types::EncodingType::Url))
                .set_delimiter((!recursive).then(|| "/".to_owned()))
                .set_start_after(start.clone());
            async move { request.send().await.map_err(Failure::from) }
        });
        let reply = reply.await?;
        Ok(self.entries(prefix, reply))
    }

    fn entries(
        &self,
        prefix: &Prefix,
        reply: ListObjectsV2Output,
    ) -> (Vec<ObjectInfo>, Option<String>) {
        let more = reply.is_truncated.unwrap_or(false);
        let (mut entries, mut last) = (Vec::new(), None::<String>);
        for object in reply.contents.unwrap_or_default() {
            let Some(key) = self.below(object.key.as_deref()) else {
                continue;
            };
            last = last.max(Some(key.clone()));
            entries.extend(self.object(prefix, &key, object));
        }
        for common in reply.common_prefixes.unwrap_or_default() {
            let Some(key) = self.below(common.prefix.as_deref()) else {
                continue;
            };
            let path = ObjectPath::new(key.strip_suffix('/').unwrap_or(&key));
            last = last.max(Some(key));
            entries.extend(path.map(ObjectInfo::directory));
        }
        entries.sort_by(ObjectInfo::listing_cmp);
        (entries, last.filter(|_| more))
    }

    /// The path of a key in a listing, below the backend's root.
    fn below(&self, key: Option<&str>) -> Option<String> {
        decoded(key?)?
            .strip_prefix(self.settings.prefix.as_str())
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

/// A key as the store has it, of one in a listing.
pub(crate) fn decoded(key: &str) -> Option<String> {
    let key = key.replace('+', " ");
    let key = percent_encoding::percent_decode_str(&key)
        .decode_utf8()
        .ok()?;
    Some(key.into_owned())
}

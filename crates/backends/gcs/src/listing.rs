use google_cloud_storage::model::{ListObjectsResponse, Object};
use storage_core::{
    Cursor, ListFilter, ListPage, ListParts, ObjectInfo, ObjectPath, Prefix, Result,
};

use crate::client::Client;
use crate::failure::Failure;
use crate::info::info;
use crate::names;

/// The most that the service gives at once.
const MOST: usize = 1000;

/// One page, in as many requests as the filters need.
pub(crate) async fn page(client: &Client, prefix: &Prefix, parts: &ListParts) -> Result<ListPage> {
    let limit = parts.limit.unwrap_or(MOST);
    let mut page = ListPage::default();
    let name = parts.name_starts_with.as_deref().unwrap_or("");
    // No name on one level holds a `/`; what the service would give lies deeper.
    if limit == 0 || (!parts.recursive && name.contains('/')) {
        return Ok(page);
    }
    let filter = ListFilter::new(prefix, parts);
    let mut request = Request::new(client, &filter, parts, limit);
    loop {
        let response = request.send(client).await?;
        let more = !response.next_page_token.is_empty();
        request.token.clone_from(&response.next_page_token);
        for entry in entries(client, prefix, &response) {
            if !filter.accepts(&entry.path, entry.is_dir) {
                continue;
            }
            if page.entries.len() == limit {
                page.next = page.entries.last().map(cursor);
                return Ok(page);
            }
            page.entries.push(entry);
        }
        if !more {
            return Ok(page);
        }
        if page.entries.len() == limit {
            page.next = page.entries.last().map(cursor);
            return Ok(page);
        }
    }
}

fn cursor(last: &ObjectInfo) -> Cursor {
    Cursor::new(last.listing_key())
}

/// A listing of the service.
struct Request {
    prefix: String,
    start: String,
    delimiter: &'static str,
    size: i32,
    token: String,
}

impl Request {
    fn new(client: &Client, filter: &ListFilter, parts: &ListParts, limit: usize) -> Self {
        let name = |key: &str| format!("{}{}", client.root, names::encode(key));
        // Names that a glob refuses are asked for as well, and more of them at once.
        let size = if parts.glob.is_some() { MOST } else { limit };
        let start = filter.after().map(|after| behind(after, parts.recursive));
        Self {
            prefix: name(filter.starts_with()),
            start: start.map(|key| name(&key)).unwrap_or_default(),
            delimiter: if parts.recursive { "" } else { "/" },
            size: i32::try_from(size.min(MOST)).unwrap_or(1),
            token: String::new(),
        }
    }

    async fn send(&self, client: &Client) -> Result<ListObjectsResponse, Failure> {
        let listed = client.attempts(0).run("list", || {
            let request = client.control.list_objects();
            let request = request
                .set_parent(&client.bucket)
                .set_prefix(&self.prefix)
                .set_lexicographic_start(&self.start)
                .set_delimiter(self.delimiter)
                .set_page_size(self.size)
                .set_page_token(&self.token);
            client.prepare(request).send()
        });
        listed.await.result
    }
}

/// The first key that may sort after `key`. In a listing of one level that is, after a directory,
/// behind all that is in it.
fn behind(key: &str, recursive: bool) -> String {
    match key.strip_suffix('/') {
        Some(directory) if !recursive => format!("{directory}0"),
        _ => format!("{key}\u{1}"),
    }
}

/// The objects and directories of an answer in their order, without names that no path has: markers of
/// directories, empty segments.
fn entries(client: &Client, prefix: &Prefix, response: &ListObjectsResponse) -> Vec<ObjectInfo> {
    let path = |name: &str| {
        let key = names::decode(name.strip_prefix(&client.root)?)?;
        let path = ObjectPath::new(key).ok()?;
        path.strip_prefix(prefix).is_some().then_some(path)
    };
    let objects = response.objects.iter();
    let mut entries: Vec<ObjectInfo> = objects
        .filter_map(|object: &Object| Some(info(path(&object.name)?, object)))
        .collect();
    let directories = response.prefixes.iter();
    entries.extend(directories.filter_map(|name| {
        let directory = path(name.strip_suffix('/')?)?;
        Some(ObjectInfo::directory(directory))
    }));
    entries.sort_by(ObjectInfo::listing_cmp);
    entries
}

/// The names of everything below a prefix, markers and all, from `after` on: one page of them.
pub(crate) async fn names_below(
    client: &Client,
    prefix: &Prefix,
    token: String,
) -> Result<(Vec<String>, String), Failure> {
    let request = Request {
        prefix: format!("{}{}", client.root, names::encode(prefix.as_str())),
        start: String::new(),
        delimiter: "",
        size: MOST as i32,
        token,
    };
    let response = request.send(client).await?;
    let names = response.objects.into_iter().map(|object| object.name);
    Ok((names.collect(), response.next_page_token))
}

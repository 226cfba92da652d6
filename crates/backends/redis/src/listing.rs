//! Pages of a listing, from the sorted set of all paths.

use redis::Value;
use storage_core::{
    Cursor, ListFilter, ListPage, ListParts, ObjectInfo, ObjectPath, Prefix, Result,
};

use crate::failure::damaged;
use crate::header::{Header, text_of};
use crate::link::{Effect, Request};
use crate::script::Script;
use crate::store::{Store, array};

const DEFAULT_LIMIT: usize = 1000;

/// Entries that one script looks at: about a millisecond of the server.
const STEP: usize = 500;

/// Most entries looked at for one page. A page that ends for it is short and says where to go on.
const MAX_SEEN: usize = 10_000;

/// One page of what lies strictly below `prefix`.
pub(crate) async fn page(store: &Store, prefix: &Prefix, parts: &ListParts) -> Result<ListPage> {
    let filter = ListFilter::new(prefix, parts);
    let ListParts {
        cursor: _,
        limit,
        start_after: _,
        recursive,
        // There are none beside those that keys have in common.
        directories: _,
        name_starts_with: _,
        glob: _,
        links: _,
    } = *parts;
    let limit = limit.unwrap_or(DEFAULT_LIMIT);
    let mut entries = Vec::new();
    let (mut from, mut seen, mut last) = (first(prefix, &filter), 0, String::new());
    let mut least = 1;
    // What was looked at must have brought the walk on, which expired objects do not.
    while seen < MAX_SEEN || last.as_str() <= filter.after().unwrap_or_default() {
        // One more than there is room for, to see whether there is more; twice as many each time
        // that too few were of use.
        let count = (limit - entries.len())
            .saturating_add(1)
            .max(least)
            .min(STEP);
        let (next, found) = step(store, prefix, &filter, !recursive, from, count).await?;
        seen += count;
        let before = entries.len();
        for entry in found {
            last = entry.listing_key();
            if !filter.accepts(&entry.path, entry.is_dir) {
                continue;
            }
            if entries.len() >= limit {
                let next = entries
                    .last()
                    .map(|last: &ObjectInfo| Cursor::new(last.listing_key()));
                return Ok(ListPage { entries, next });
            }
            entries.push(entry);
        }
        if entries.len() - before < count {
            least = 2 * count;
        }
        match next {
            Some(next) => from = next,
            None => {
                return Ok(ListPage {
                    entries,
                    next: None,
                });
            }
        }
    }
    let next = Some(Cursor::new(last));
    Ok(ListPage { entries, next })
}

/// Where the first step begins, as Redis spells it.
fn first(prefix: &Prefix, filter: &ListFilter) -> String {
    let starts_with = filter.starts_with();
    match filter.after().filter(|after| *after >= starts_with) {
        Some(after) => format!("({after}"),
        None if starts_with == prefix.as_str() => format!("({starts_with}"),
        None => format!("[{starts_with}"),
    }
}

/// Some entries, and where the next step begins; `None` at the end.
async fn step(
    store: &Store,
    prefix: &Prefix,
    filter: &ListFilter,
    one_level: bool,
    from: String,
    count: usize,
) -> Result<(Option<String>, Vec<ObjectInfo>)> {
    let build = |request: &mut Request<'_>| {
        let script = request.script(Script::List, &[&store.keys.index, &store.keys.index]);
        let script = store.begin(script, "");
        script
            .arg(&from)
            .arg(prefix.len())
            .arg(filter.starts_with());
        script.arg(if one_level { "1" } else { "0" }).arg(count);
    };
    let replies = store.link.request(Effect::None, build).await?;
    let mut values = array(replies.into_iter().next())?;
    let next = text_of(values.next().unwrap_or_default())?;
    let entries: Result<_> = values.map(entry).collect();
    Ok((next.filter(|next| !next.is_empty()), entries?))
}

fn entry(value: Value) -> Result<ObjectInfo> {
    let mut fields = array(Some(value))?;
    let path = text_of(fields.next().unwrap_or_default())?.unwrap_or_default();
    let path = ObjectPath::new(&path);
    let path = path.map_err(|error| damaged("a key is no path").with_source(error))?;
    if fields.len() == 0 {
        return Ok(ObjectInfo::directory(path));
    }
    let header = Header::of_values(&mut fields)?;
    Ok(match header {
        Some(header) => header.info(path),
        None => ObjectInfo::new(path),
    })
}

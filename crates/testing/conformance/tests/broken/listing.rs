//! Listings of the broken backend.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use storage_core::{
    Backend, BackendExt, Cursor, Error, ErrorKind, ListOptions, ListPage, ListParts, ObjectInfo,
    ObjectPath, Prefix, Result,
};

use crate::fault::Fault;
use crate::store::{Broken, lock};

/// One page, wrong as the fault has it.
pub(crate) async fn page(
    broken: &Broken,
    prefix: &Prefix,
    options: ListOptions,
) -> Result<ListPage> {
    let asked = options.clone().into_parts();
    if broken.restarted && asked.cursor.is_some() && broken.is(Fault::CursorDiesOnRestart) {
        return Err(Error::config("an old cursor"));
    }
    let mut page = match broken.fault {
        Fault::PrefixAsText => by_text(broken, prefix, &options).await?,
        Fault::OffsetCursor => by_offset(broken, prefix, &asked).await?,
        Fault::CursorNeedsItsKey if !cursor_exists(broken, &asked).await? => ListPage::default(),
        _ => {
            let (prefix, options) = believed(broken, prefix, &asked);
            broken.memory.list(&prefix, options).await?
        }
    };
    let fails =
        page.entries.is_empty() && !prefix.is_root() && broken.is(Fault::MissingPrefixFails);
    if fails {
        return Err(Error::new(ErrorKind::NotFound, "no such prefix"));
    }
    filter(broken, &asked, &mut page);
    insert(broken, prefix, &asked, &mut page).await?;
    sort(broken, &asked, &mut page);
    for entry in &mut page.entries {
        *entry = broken.told(entry.clone()).await;
        retell(broken, entry);
    }
    Ok(page)
}

/// What the backend takes the request for.
fn believed(broken: &Broken, prefix: &Prefix, asked: &ListParts) -> (Prefix, ListOptions) {
    let mut parts = asked.clone();
    let mut prefix = prefix.clone();
    match broken.fault {
        Fault::PrefixAsPattern if prefix.contains(['*', '%', '_', '?', '[']) => {
            prefix = Prefix::root();
        }
        Fault::LimitZeroIsNone if parts.limit == Some(0) => parts.limit = None,
        Fault::IgnoresNameStart => parts.name_starts_with = None,
        Fault::GlobOverridesName if parts.glob.is_some() => parts.name_starts_with = None,
        Fault::GlobOnWholeKey | Fault::FiltersAfterLimit => parts.glob = None,
        Fault::AlwaysDirectories => parts.directories = true,
        Fault::StartAfterIncludes if parts.cursor.is_none() => parts.start_after = None,
        _ => {}
    }
    (prefix, options(parts))
}

fn options(parts: ListParts) -> ListOptions {
    let ListParts {
        cursor,
        limit,
        start_after,
        recursive,
        directories,
        name_starts_with,
        glob,
        links,
    } = parts;
    let mut options = ListOptions::default()
        .recursive(recursive)
        .directories(directories)
        .links(links)
        .cursor(cursor);
    if let Some(limit) = limit {
        options = options.limit(limit);
    }
    if let Some(key) = start_after {
        options = options.start_after(key);
    }
    if let Some(start) = name_starts_with {
        options = options.name_starts_with(start);
    }
    if let Some(glob) = glob {
        options = options.glob(glob);
    }
    options
}

/// Everything whose key starts with the prefix's text.
async fn by_text(broken: &Broken, prefix: &Prefix, options: &ListOptions) -> Result<ListPage> {
    let text = prefix.strip_suffix('/').unwrap_or(prefix);
    let options = options.clone().recursive(true);
    let mut page = broken.memory.list(&Prefix::root(), options).await?;
    page.entries.retain(|entry| entry.path.starts_with(text));
    Ok(page)
}

/// Pages by counting.
async fn by_offset(broken: &Broken, prefix: &Prefix, asked: &ListParts) -> Result<ListPage> {
    let mut all = asked.clone();
    (all.cursor, all.limit) = (None, None);
    let mut entries = broken
        .memory
        .entries(prefix.clone(), options(all))
        .collect()
        .await?;
    let at = asked
        .cursor
        .as_ref()
        .and_then(|cursor| cursor.as_str().parse().ok());
    let at = at.unwrap_or(0).min(entries.len());
    let mut rest = entries.split_off(at);
    let limit = asked.limit.unwrap_or(1000);
    let more = rest.len() > limit && limit > 0;
    rest.truncate(limit);
    Ok(ListPage {
        next: more.then(|| Cursor::new((at + limit).to_string())),
        entries: rest,
    })
}

async fn cursor_exists(broken: &Broken, asked: &ListParts) -> Result<bool> {
    let Some(cursor) = &asked.cursor else {
        return Ok(true);
    };
    let key = cursor.as_str().trim_end_matches('/');
    Ok(broken.memory.try_stat(key).await?.is_some())
}

/// Takes entries away.
fn filter(broken: &Broken, asked: &ListParts, page: &mut ListPage) {
    let count = page.entries.len();
    match broken.fault {
        Fault::SkipsAfterCursor if asked.cursor.is_some() && count > 0 => {
            page.entries.remove(0);
        }
        Fault::GlobOnWholeKey => {
            let glob = asked.glob.as_ref();
            let kept = |entry: &ObjectInfo| glob.is_none_or(|glob| glob.matches(&entry.path));
            page.entries.retain(kept);
        }
        Fault::FiltersAfterLimit => {
            if let Some(glob) = &asked.glob {
                page.entries
                    .retain(|entry| glob.matches(entry.path.file_name()));
                page.next = page.next.take().filter(|_| page.entries.len() == count);
            }
        }
        Fault::StartAfterIncludes => {
            let after = asked.start_after.as_deref().unwrap_or("");
            page.entries.retain(|entry| *entry.listing_key() >= *after);
        }
        Fault::StartAfterForgetsSlash => {
            let after = asked.start_after.as_deref().unwrap_or("");
            page.entries
                .retain(|entry| !entry.is_dir || *entry.path.as_str() > *after);
        }
        Fault::LosesBeyondPage if count >= 20 && asked.limit.is_none() => {
            page.entries.truncate(20);
            page.next = None;
        }
        Fault::SkipsChangedSinceStart => skip_changed(broken, asked, page),
        _ => {}
    }
}

/// Hides what was written after the walk began.
fn skip_changed(broken: &Broken, asked: &ListParts, page: &mut ListPage) {
    let mut began = lock(&broken.state.walk_began);
    if asked.cursor.is_none() {
        *began = Some(SystemTime::now());
    }
    let began = *began;
    page.entries
        .retain(|entry| entry.modified.is_none() || entry.modified <= began);
}

/// Adds entries.
async fn insert(
    broken: &Broken,
    prefix: &Prefix,
    asked: &ListParts,
    page: &mut ListPage,
) -> Result<()> {
    match (broken.fault, prefix.as_path()) {
        (Fault::ListsPrefixItself, Some(path)) if !page.entries.is_empty() => {
            page.entries.insert(0, ObjectInfo::directory(path));
        }
        (Fault::RepeatsDirectories, _) => {
            let cursor = asked.cursor.as_ref().map(Cursor::as_str);
            if let Some(directory) = cursor.and_then(|cursor| cursor.strip_suffix('/')) {
                let directory = ObjectInfo::directory(ObjectPath::new(directory)?);
                page.entries.insert(0, directory);
            }
        }
        (Fault::FakesDirectories, _) if asked.recursive && asked.directories => {
            let parents = page
                .entries
                .iter()
                .filter_map(|entry| entry.path.parent().as_path());
            let parents: BTreeSet<ObjectPath> = parents.collect();
            page.entries
                .extend(parents.into_iter().map(ObjectInfo::directory));
            page.entries.sort_by(ObjectInfo::listing_cmp);
        }
        _ => {}
    }
    Ok(())
}

fn sort(broken: &Broken, asked: &ListParts, page: &mut ListPage) {
    let entries = &mut page.entries;
    match broken.fault {
        Fault::SortsByPlainName if !asked.recursive => entries.sort_by(|a, b| a.path.cmp(&b.path)),
        Fault::ReversesRecursive if asked.recursive => entries.reverse(),
        Fault::SortsByUtf16 => {
            entries.sort_by_key(|entry| entry.listing_key().encode_utf16().collect::<Vec<u16>>());
        }
        _ => {}
    }
}

/// Tells other things of an entry than of the object.
fn retell(broken: &Broken, entry: &mut ObjectInfo) {
    match broken.fault {
        Fault::ListsNoSizes => entry.size = None,
        Fault::ListsOtherTimes => {
            entry.modified = entry.modified.map(|time| time + Duration::from_secs(3600));
        }
        _ => {}
    }
}

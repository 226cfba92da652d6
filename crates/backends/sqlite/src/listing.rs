//! Pages of a listing: ranges of the primary key, without a scan of what lies between.

use rusqlite::Rows;
use storage_core::{
    Cursor, ListFilter, ListPage, ListParts, ObjectInfo, ObjectPath, Prefix, Result,
};

use crate::database::Snapshot;
use crate::failure::{damaged, failure};
use crate::record::Record;

const DEFAULT_LIMIT: usize = 1000;

/// Most rows and jumps for one page. A page that ends for it is short and says where to go on.
const MAX_STEPS: usize = 10_000;

/// Rows that one query asks for.
const ROWS: usize = 1000;

/// One page of what lies strictly below `prefix`. Blocks.
pub(crate) fn page(snapshot: &Snapshot, prefix: &Prefix, parts: &ListParts) -> Result<ListPage> {
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
    let mut walk = Walk {
        snapshot,
        prefix,
        filter: &filter,
        recursive,
        limit: limit.unwrap_or(DEFAULT_LIMIT),
        entries: Vec::new(),
        steps: 0,
        last: String::new(),
    };
    let mut from = first(prefix, &filter);
    loop {
        match walk.query(&from)? {
            Step::Next(next) => from = next,
            Step::Ended => {
                let (entries, next) = (walk.entries, None);
                return Ok(ListPage { entries, next });
            }
            Step::Full => {
                let next = (walk.limit > 0).then(|| Cursor::new(walk.last));
                let entries = walk.entries;
                return Ok(ListPage { entries, next });
            }
        }
    }
}

/// Where a query begins.
enum From {
    At(String),
    After(String),
}

enum Step {
    /// Another query goes on.
    Next(From),
    Ended,
    /// The page has as many entries, or has taken as many steps, as it may.
    Full,
}

fn first(prefix: &Prefix, filter: &ListFilter) -> From {
    let starts_with = filter.starts_with();
    match filter.after().filter(|after| *after >= starts_with) {
        Some(after) => From::After(after.to_owned()),
        None if starts_with == prefix.as_str() => From::After(starts_with.to_owned()),
        None => From::At(starts_with.to_owned()),
    }
}

struct Walk<'w> {
    snapshot: &'w Snapshot,
    prefix: &'w Prefix,
    filter: &'w ListFilter,
    recursive: bool,
    limit: usize,
    entries: Vec<ObjectInfo>,
    steps: usize,
    /// The listing key that the next page begins after.
    last: String,
}

impl Walk<'_> {
    fn query(&mut self, from: &From) -> Result<Step> {
        let schema = self.snapshot.schema();
        let (sql, key) = match from {
            From::At(key) => (&schema.list_from, key),
            From::After(key) => (&schema.list_after, key),
        };
        // One more than the page has room for, to see whether there is more.
        let room = self
            .limit
            .saturating_sub(self.entries.len())
            .saturating_add(1);
        let rows = room.min(ROWS);
        let connection = self.snapshot.connection()?;
        let mut statement = connection.prepare_cached(sql).map_err(failure)?;
        let found = statement.query(rusqlite::params![key, rows as i64]);
        self.take(found.map_err(failure)?, rows)
    }

    fn take(&mut self, mut rows: Rows<'_>, asked: usize) -> Result<Step> {
        let (mut given, mut seen) = (0, String::new());
        while let Some(row) = rows.next().map_err(failure)? {
            let path = Record::path_of_row(row)?;
            if !path.starts_with(self.filter.starts_with()) {
                return Ok(Step::Ended);
            }
            given += 1;
            self.steps += 1;
            let rest = path.get(self.prefix.len()..).unwrap_or_default();
            if let Some(slash) = rest.find('/').filter(|_| !self.recursive) {
                let directory = path.get(..self.prefix.len() + slash).unwrap_or_default();
                return self.enter(directory);
            }
            if self.filter.accepts(path, false) {
                if self.is_full() {
                    return Ok(Step::Full);
                }
                let info = Record::of_row(row)?.info(checked(path)?);
                self.entries.push(info);
            }
            path.clone_into(&mut seen);
            path.clone_into(&mut self.last);
            if self.steps >= MAX_STEPS {
                return Ok(Step::Full);
            }
        }
        Ok(if given < asked {
            Step::Ended
        } else {
            Step::Next(From::After(seen))
        })
    }

    /// Takes a directory, and goes on after all that lies below it: `0` follows `/`.
    fn enter(&mut self, directory: &str) -> Result<Step> {
        if self.filter.accepts(directory, true) {
            if self.is_full() {
                return Ok(Step::Full);
            }
            self.entries
                .push(ObjectInfo::directory(checked(directory)?));
        }
        self.last = format!("{directory}/");
        if self.steps >= MAX_STEPS {
            return Ok(Step::Full);
        }
        Ok(Step::Next(From::At(format!("{directory}0"))))
    }

    fn is_full(&self) -> bool {
        self.entries.len() >= self.limit
    }
}

fn checked(path: &str) -> Result<ObjectPath> {
    ObjectPath::new(path).map_err(|error| damaged("the key is no path").with_source(error))
}

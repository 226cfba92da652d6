use omnistorage::filter::Filter;
use omnistorage::sync::{Options, Tree};
use omnistorage::{BackendExt, Error, ErrorKind, Glob, ListOptions, ObjectInfo, Prefix, Result};

use super::stat::json_of;
use crate::args::{LsArgs, TreeArgs};
use crate::escape;
use crate::filter;
use crate::output::{Counts, Exit, Output};
use crate::place::{self, Missing};
use crate::time::rfc3339;

/// Lists one level or everything below a place.
pub(crate) async fn ls(args: LsArgs, output: &Output) -> Result<Exit> {
    let (backend, prefix, mut options) = match place::tree(&args.path, Missing::Fail).await {
        Ok(place) => (place.backend, place.path, ListOptions::default()),
        // An object lists itself.
        Err(error) if error.is_not_directory() => {
            let place = place::entry(&args.path, Missing::Fail).await?;
            match place.backend.try_stat(&place.path).await? {
                Some(info) if !info.is_dir => {
                    let base = place.path.parent().len();
                    show(&args, &info, base, output);
                    output.summary("ls", Counts::default());
                    return Ok(Exit::Done);
                }
                _ => return Err(error),
            }
        }
        Err(error) => return Err(error),
    };
    match filter::load(&args.filter).await {
        Ok(None) => {}
        Ok(Some(filter)) if args.glob.is_none() => {
            let tree = Tree::new(backend, prefix);
            return Ok(filtered(&args, &tree, filter, output).await);
        }
        Ok(Some(_)) => {
            let what = "--glob and the filters exclude each other: use --include instead";
            return Err(Error::new(ErrorKind::Config, what));
        }
        Err(error) => return Ok(output.fail(&error)),
    }
    options = options
        .recursive(args.recursive)
        .directories(!args.files_only);
    if let Some(glob) = &args.glob {
        options = options.glob(Glob::new(glob)?);
    }
    let base = prefix.len();
    let mut entries = backend.entries(prefix, options);
    while let Some(entry) = entries.next().await {
        let entry = entry?;
        if !(args.files_only && entry.is_dir) {
            show(&args, &entry, base, output);
        }
    }
    output.summary("ls", Counts::default());
    Ok(Exit::Done)
}

/// Lists what a filter selects.
async fn filtered(args: &LsArgs, tree: &Tree, filter: Filter, output: &Output) -> Exit {
    let filter = match args.recursive {
        true => filter,
        false => filter.with_max_depth(1),
    };
    let options = Options::default().filter(filter);
    let mut entries = tree.entries(!args.files_only, &options);
    loop {
        match entries.next().await {
            Ok(Some(entry)) => show(args, &entry, tree.prefix().len(), output),
            Ok(None) => break,
            Err(error) => return output.fail(&error),
        }
    }
    output.summary("ls", Counts::default());
    Exit::Done
}

/// Prints an entry; its name starts after `base` bytes of prefix.
fn show(args: &LsArgs, entry: &ObjectInfo, base: usize, output: &Output) {
    let name = entry.path.get(base..).unwrap_or(&entry.path);
    let text = || match output.is_terminal() {
        true => line_of(args, entry, &escape::line(name)),
        false => line_of(args, entry, name),
    };
    output.listed(text, || json_of(name, entry));
}

fn line_of(args: &LsArgs, entry: &ObjectInfo, name: &str) -> String {
    let name = format!("{name}{}", if entry.is_dir { "/" } else { "" });
    if !args.long {
        return name;
    }
    let size = entry
        .size
        .map_or_else(|| "-".to_owned(), |size| size.to_string());
    let modified = entry.modified.map_or_else(|| "-".to_owned(), rfc3339);
    format!("{size:>12}  {modified:<30}  {name}")
}

/// Draws everything below a place as a tree.
pub(crate) async fn tree(args: TreeArgs, output: &Output) -> Result<Exit> {
    let place = place::tree(&args.path, Missing::Fail).await?;
    output.line(
        || escape::line(&args.path).into_owned(),
        || serde_json::json!({"event": "root", "path": args.path}),
    );
    let mut totals = Totals::default();
    let mut levels = vec![Level::read(&*place.backend, place.path).await?];
    let mut bars = Vec::new();
    while let Some(level) = levels.last_mut() {
        let Some(entry) = level.rest.next() else {
            levels.pop();
            bars.pop();
            continue;
        };
        let last = level.rest.len() == 0;
        totals.count(&entry);
        output.line(
            || branch(&bars, last, &entry),
            || json_of(&entry.path, &entry),
        );
        let depth_left = args.max_depth.is_none_or(|depth| levels.len() < depth);
        if entry.is_dir && depth_left {
            levels.push(Level::read(&*place.backend, entry.path.as_prefix()).await?);
            bars.push(last);
        }
    }
    output.note(|| format!("{} directories, {} files", totals.directories, totals.files));
    output.summary("tree", Counts::default());
    Ok(Exit::Done)
}

#[derive(Default)]
struct Totals {
    directories: u64,
    files: u64,
}

impl Totals {
    fn count(&mut self, entry: &ObjectInfo) {
        if entry.is_dir {
            self.directories += 1;
        } else {
            self.files += 1;
        }
    }
}

struct Level {
    rest: std::vec::IntoIter<ObjectInfo>,
}

impl Level {
    async fn read(backend: &dyn omnistorage::Backend, prefix: Prefix) -> Result<Self> {
        let all = backend
            .entries(prefix, ListOptions::default())
            .collect()
            .await?;
        Ok(Self {
            rest: all.into_iter(),
        })
    }
}

fn branch(bars: &[bool], last: bool, entry: &ObjectInfo) -> String {
    let mut line = String::new();
    for ended in bars {
        line.push_str(if *ended { "    " } else { "│   " });
    }
    line.push_str(if last { "└── " } else { "├── " });
    line.push_str(&escape::line(entry.path.file_name()));
    if entry.is_dir {
        line.push('/');
    }
    line
}

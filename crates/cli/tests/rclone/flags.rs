//! Random flags that both programs know.

use proptest::prelude::*;

use crate::trees::{Content, MARK, Tree, is_in_the_way, is_marker, two_trees};

/// A command line, and the files that it names.
#[derive(Debug, Clone)]
pub(crate) struct Flags {
    pub(crate) verb: &'static str,
    pub(crate) args: Vec<String>,
    /// What `list` holds, for `--files-from` and its like.
    pub(crate) list: String,
    /// What the directory `other` holds, for `--compare-dest` and `--copy-dest`.
    pub(crate) other: Tree,
}

impl Flags {
    /// The trees without what the two programs are known to take differently.
    pub(crate) fn fit(&self, mut source: Tree, mut destination: Tree) -> (Tree, Tree) {
        if !self.has(&["--links"]) {
            let files = source.values_mut().chain(destination.values_mut());
            files.for_each(Content::unlink);
        }
        if !self.has(&["--metadata"]) {
            let files = source.values_mut().chain(destination.values_mut());
            files.for_each(Content::reset_mode);
        }
        // A link where a file is to be, or the reverse: rclone deletes what it has just made.
        destination.retain(|path, file| {
            let twin = source.get(path);
            twin.is_none_or(|twin| twin.is_link() == file.is_link())
        });
        // `omni` creates empty files instead of renaming them, which costs the same.
        if self.has(&["--track-renames"]) {
            let files = source.values_mut().chain(destination.values_mut());
            files.for_each(Content::fill);
        }
        // A file where a directory is to be, or the reverse: rclone fails, `omni sync` replaces it.
        destination.retain(|path, _| !source.keys().any(|other| is_in_the_way(path, other)));
        // Of two files that may be the renamed one, each program takes another.
        if self.has(&["--track-renames-strategy"]) {
            for tree in [&mut source, &mut destination] {
                let mut seen = Vec::new();
                tree.retain(|_, file| {
                    let is_new = !seen.contains(&file.size_and_time());
                    seen.push(file.size_and_time());
                    is_new
                });
            }
        }
        // rclone judges size and age on each side by itself, `omni` by the source.
        let bounds = ["--min-", "--max-size", "--max-age"];
        if self.has(&bounds) {
            for (path, file) in &mut destination {
                *file = source.get(path).copied().unwrap_or(*file);
            }
        }
        // rclone looks for the marker on each side by itself, `omni` on both.
        if self.has(&["--exclude-if-present"]) {
            destination.retain(|path, _| !is_marker(path) || source.contains_key(path));
            let markers = source.iter().filter(|(path, _)| is_marker(path));
            destination.extend(markers.map(|(path, file)| (path.clone(), *file)));
            // At the root, rclone sees only a marker that the rules include.
            source.retain(|path, _| path != MARK);
            destination.retain(|path, _| path != MARK);
        }
        (source, destination)
    }

    pub(crate) fn has(&self, starts: &[&str]) -> bool {
        let starts_so = |arg: &String| starts.iter().any(|start| arg.starts_with(start));
        self.args.iter().any(starts_so)
    }
}

fn pattern() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "a",
        "b",
        "/a",
        "*.txt",
        "a/**",
        "/a/**",
        "*",
        "**",
        "b/",
        "/b/*",
        "{a,b}",
        "?",
        "[ab]*",
        "*.{tmp,txt}",
        "d e",
        "é*",
        "**/a",
        "a/*/**",
        "{{[ab]}}",
        "B",
        "mark",
    ])
    .prop_map(str::to_owned)
}

fn filter() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => (prop::bool::ANY, pattern()).prop_map(|(include, pattern)| {
            format!("--filter={} {pattern}", if include { '+' } else { '-' })
        }),
        2 => pattern().prop_map(|pattern| format!("--include={pattern}")),
        3 => pattern().prop_map(|pattern| format!("--exclude={pattern}")),
        1 => Just("--filter-from=list".to_owned()),
        1 => Just("--exclude-from=list".to_owned()),
        1 => Just("--ignore-case".to_owned()),
        1 => (1..4u8).prop_map(|depth| format!("--max-depth={depth}")),
        1 => Just("--exclude-if-present=mark".to_owned()),
        1 => (0..3u8, 1..4u8).prop_map(|(part, of)| format!("--hash-filter={part}/{of}")),
        1 => prop::sample::select(vec!["1B", "1000B", "1K", "2K"]).prop_map(|size| format!("--min-size={size}")),
        1 => prop::sample::select(vec!["0B", "1B", "1K", "2K"]).prop_map(|size| format!("--max-size={size}")),
        1 => prop::sample::select(vec!["1h", "1d"]).prop_map(|age| format!("--min-age={age}")),
        1 => prop::sample::select(vec!["2d", "2w"]).prop_map(|age| format!("--max-age={age}")),
    ]
}

fn list() -> impl Strategy<Value = String> {
    let rule = (prop::bool::ANY, pattern());
    prop::collection::vec(rule, 0..4).prop_map(|rules| {
        let line = |(include, pattern)| format!("{} {pattern}\n", if include { '+' } else { '-' });
        rules.into_iter().map(line).collect()
    })
}

fn comparison() -> impl Strategy<Value = Vec<String>> {
    prop::sample::select(vec![
        &[][..],
        &[],
        &["--size-only"],
        &["--checksum"],
        &["--ignore-times"],
        &["--update"],
        &["--ignore-existing"],
        &["--immutable"],
        &["--ignore-size"],
        &["--modify-window=3h"],
        &["--no-update-modtime"],
        &["--compare-dest=other"],
        &["--metadata"],
        &["--metadata", "--checksum"],
        &["--links"],
        &["--links", "--checksum"],
        &["--links", "--update"],
    ])
    .prop_map(owned)
}

fn owned(args: &[&str]) -> Vec<String> {
    args.iter().map(|arg| (*arg).to_owned()).collect()
}

fn keeping() -> impl Strategy<Value = Vec<String>> {
    prop::sample::select(vec![
        &[][..],
        &[],
        &["--backup-dir=bak"],
        &["--backup-dir=bak", "--suffix=.old"],
        &["--suffix=.old"],
        &["--suffix=.old", "--suffix-keep-extension"],
        &["--dry-run"],
        &["--create-empty-src-dirs"],
    ])
    .prop_map(owned)
}

fn deletion() -> impl Strategy<Value = Vec<String>> {
    prop::sample::select(vec![
        &[][..],
        &["--delete-before"],
        &["--delete-during"],
        &["--delete-after"],
        &["--delete-excluded"],
        &["--max-delete=1"],
        &["--max-delete=0"],
        &["--track-renames"],
        &["--track-renames", "--track-renames-strategy=modtime"],
        &["--track-renames", "--track-renames-strategy=leaf"],
    ])
    .prop_map(owned)
}

pub(crate) fn transfer_flags() -> impl Strategy<Value = Flags> {
    let verb = prop::sample::select(vec!["sync", "sync", "sync", "copy", "move"]);
    let filters = prop_oneof![2 => Just(Vec::new()), 3 => prop::collection::vec(filter(), 1..4)];
    let groups = (comparison(), keeping(), deletion());
    let other = two_trees().prop_map(|(mut tree, _)| {
        tree.values_mut().for_each(Content::unlink);
        tree.values_mut().for_each(Content::reset_mode);
        tree
    });
    (verb, filters, groups, list(), other).prop_map(|(verb, filters, groups, list, other)| {
        let (mut comparison, mut keeping, mut deletion) = groups;
        // rclone deletes what lies too deep in a directory that is excluded.
        if filters.iter().any(|arg| arg.starts_with("--max-depth")) {
            deletion.retain(|arg| arg != "--delete-excluded");
        }
        // Which of two files with one content is renamed is a matter of luck, and the other is kept.
        if deletion
            .iter()
            .any(|arg| arg.starts_with("--track-renames"))
        {
            keeping.clear();
        }
        // rclone makes a link of a file that was renamed so.
        let strategies = |arg: &String| arg.starts_with("--track-renames-strategy");
        if comparison.contains(&"--links".to_owned()) {
            // Of a link's name, rclone keeps the extensions that are media types.
            keeping.retain(|arg| arg != "--suffix-keep-extension");
            deletion.retain(|arg| !strategies(arg));
        }
        // Refused: what DIR has would leave the source without being at the destination.
        // And rclone removes a source that is older than what the destination has.
        let loses = |arg: &String| arg.starts_with("--compare-dest") || arg == "--update";
        comparison.retain(|arg| verb != "move" || !loses(arg));
        // rclone does not pretend the failure of an immutable file with another time.
        if comparison.contains(&"--immutable".to_owned()) {
            keeping.retain(|arg| arg != "--dry-run");
        }
        let mut args = [filters, comparison.clone(), keeping].concat();
        // Which deletions come before the first error is a matter of luck.
        let by_luck = comparison.contains(&"--immutable".to_owned())
            && deletion.contains(&"--delete-during".to_owned());
        if verb == "sync" && !by_luck {
            args.extend(deletion);
        }
        Flags {
            verb,
            args,
            list,
            other,
        }
    })
}

/// Runs with new names, which go with no filter in `omni`.
pub(crate) fn renaming_flags() -> impl Strategy<Value = Flags> {
    let tag = prop::sample::select(vec!["", "file,", "dir,", "all,"]);
    let change = prop::sample::select(vec![
        "prefix=x",
        "suffix=.y",
        "suffix_keep_extension=-1",
        "trimprefix=c",
        "trimsuffix=.txt",
        "replace=e:u",
        "regex=[a-c]/z",
        "regex=(.)\\.(.)/$2.$1",
        "uppercase",
        "truncate=3",
        "truncate_keep_extension=5",
        "none",
    ]);
    let step = (tag, change).prop_map(|(tag, change)| format!("--name-transform={tag}{change}"));
    let verb = prop::sample::select(vec!["sync", "copy", "move"]);
    let steps = prop::collection::vec(step, 1..3);
    let how = prop::sample::select(vec![&[][..], &["--checksum"], &["--size-only"]]);
    (verb, steps, how).prop_map(|(verb, steps, how)| Flags {
        verb,
        args: [steps, owned(how)].concat(),
        list: String::new(),
        other: Tree::new(),
    })
}

pub(crate) fn check_flags() -> impl Strategy<Value = Flags> {
    let filters = prop_oneof![1 => Just(Vec::new()), 1 => prop::collection::vec(filter(), 1..3)];
    let how = prop::sample::select(vec![
        &[][..],
        &["--one-way"],
        &["--size-only"],
        &["--download"],
        &["--checksum"],
        &["--one-way", "--download"],
        &["--links"],
        &["--links", "--one-way"],
    ]);
    (filters, how, list()).prop_map(|(filters, how, list)| Flags {
        verb: "check",
        args: [filters, owned(how)].concat(),
        list,
        other: Tree::new(),
    })
}

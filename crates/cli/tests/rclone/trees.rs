//! Trees of a few files, written to disk and read back.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use proptest::prelude::*;

const NAMES: [&str; 8] = ["a", "b", "B", "c.txt", "d e", "é.jpg", "f.tmp", MARK];

/// A name that `--exclude-if-present` looks for; no directory has it, for rclone fails on one.
pub(crate) const MARK: &str = "mark";

/// Content by number: two of one size for each of some sizes.
fn content(number: u8) -> Vec<u8> {
    match number {
        0 => Vec::new(),
        1 => b"x".to_vec(),
        2 => b"y".to_vec(),
        3 => vec![b'1'; 1500],
        4 => vec![b'2'; 1500],
        _ => vec![b'3'; 2500],
    }
}

/// The first number of a content that is a link instead.
const LINK: u8 = 6;

/// Where the link of a number leads: to a file, a directory, or nowhere.
fn target(number: u8) -> Option<&'static str> {
    let targets = ["a", "b/", "../no where"];
    targets.get(usize::from(number.checked_sub(LINK)?)).copied()
}

/// Time by number: from half a minute to forty days before this process began.
fn time(number: u8) -> SystemTime {
    static NOW: OnceLock<SystemTime> = OnceLock::new();
    let now = *NOW.get_or_init(SystemTime::now);
    let seconds = [30, 7200, 7200 * 36, 86_400 * 40][usize::from(number % 4)];
    let since = now.duration_since(UNIX_EPOCH).unwrap();
    UNIX_EPOCH + Duration::from_secs(since.as_secs() - seconds) + Duration::from_nanos(123_456_789)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Content {
    bytes: u8,
    time: u8,
    mode: u8,
}

impl Content {
    /// Gives the file the mode of all others.
    pub(crate) fn reset_mode(&mut self) {
        self.mode = 0;
    }

    /// Makes a link a file.
    pub(crate) fn unlink(&mut self) {
        self.bytes %= LINK;
    }

    pub(crate) fn is_link(self) -> bool {
        self.bytes >= LINK
    }

    pub(crate) fn size_and_time(self) -> (usize, u8) {
        (content(self.bytes).len(), self.time)
    }

    /// Gives an empty file a byte.
    pub(crate) fn fill(&mut self) {
        self.bytes = self.bytes.max(1);
    }
}

/// Files by path; a path below another file is left out when it is written.
pub(crate) type Tree = BTreeMap<String, Content>;

fn path() -> impl Strategy<Value = String> {
    let name = || prop::sample::select(&NAMES[..]);
    let above = || prop::sample::select(&NAMES[..7]);
    (prop::collection::vec(above(), 0..3), name())
        .prop_map(|(above, name)| [above, vec![name]].concat().join("/"))
}

fn file() -> impl Strategy<Value = Content> {
    (0..9u8, 0..4u8, 0..3u8).prop_map(|(bytes, time, mode)| Content { bytes, time, mode })
}

/// How a file of the source is at the destination.
#[derive(Debug, Clone)]
enum Change {
    Same,
    Missing,
    Content(u8),
    Time(u8),
    Both(Content),
    Renamed(String),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => Just(Change::Same),
        2 => Just(Change::Missing),
        1 => (0..9u8).prop_map(Change::Content),
        1 => (0..4u8).prop_map(Change::Time),
        2 => file().prop_map(Change::Both),
        2 => path().prop_map(Change::Renamed),
    ]
}

/// A source, and a destination that resembles it.
pub(crate) fn two_trees() -> impl Strategy<Value = (Tree, Tree)> {
    let source = prop::collection::vec((path(), file(), change()), 0..8);
    let extra = prop::collection::vec((path(), file()), 0..3);
    (source, extra).prop_map(|(source, extra)| {
        let (mut from, mut to) = (Tree::new(), Tree::new());
        for (path, file, change) in source {
            add(&mut from, path.clone(), file);
            match change {
                Change::Same => add(&mut to, path, file),
                Change::Missing => {}
                Change::Content(bytes) => add(&mut to, path, Content { bytes, ..file }),
                Change::Time(time) => add(&mut to, path, Content { time, ..file }),
                Change::Both(other) => add(&mut to, path, other),
                Change::Renamed(name) => add(&mut to, name, file),
            }
        }
        for (path, file) in extra {
            add(&mut to, path, file);
        }
        (from, to)
    })
}

/// Adds a file unless a file is where its directory would be, or the reverse.
fn add(tree: &mut Tree, path: String, file: Content) {
    if !tree.keys().any(|other| is_in_the_way(other, &path)) {
        tree.insert(path, file);
    }
}

/// Whether one of the two is a directory of the other.
pub(crate) fn is_in_the_way(a: &str, b: &str) -> bool {
    let below = |outer: &str, inner: &str| {
        let rest = inner.strip_prefix(outer);
        rest.is_some_and(|rest| rest.starts_with('/'))
    };
    below(a, b) || below(b, a)
}

pub(crate) fn is_marker(path: &str) -> bool {
    path.rsplit('/').next() == Some(MARK)
}

pub(crate) fn write(root: &Path, tree: &Tree) {
    fs::create_dir_all(root).unwrap();
    for (path, file) in tree {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        if let Some(target) = target(file.bytes) {
            std::os::unix::fs::symlink(target, &path).unwrap();
            set_link_time(&path, time(file.time));
            continue;
        }
        fs::write(&path, content(file.bytes)).unwrap();
        let mode = [0o644, 0o600, 0o755][usize::from(file.mode % 3)];
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let opened = File::options().write(true).open(&path).unwrap();
        opened.set_modified(time(file.time)).unwrap();
    }
}

/// One line a file, with its content and time, and one a directory.
pub(crate) fn read(root: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    walk(root, "", &mut lines);
    lines.sort();
    lines
}

fn walk(root: &Path, base: &str, lines: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(root.join(base)) else {
        return;
    };
    for entry in entries.map(Result::unwrap) {
        let path = format!("{base}{}", entry.file_name().to_str().unwrap());
        let found = entry.metadata().unwrap();
        if found.is_dir() {
            lines.push(format!("{path}/"));
            walk(root, &format!("{path}/"), lines);
        } else if found.is_symlink() {
            let target = fs::read_link(entry.path()).unwrap();
            let time = time_of(&found);
            lines.push(format!("{path} -> {} time {time}", target.display()));
        } else {
            let bytes = fs::read(entry.path()).unwrap();
            let start = bytes.first().map_or(' ', |byte| char::from(*byte));
            let time = time_of(&found);
            let mode = found.mode() & 0o7777;
            lines.push(format!(
                "{path} {}{start} mode {mode:o} time {time}",
                bytes.len()
            ));
        }
    }
}

fn time_of(found: &fs::Metadata) -> String {
    let known = (0..4).find(|number| time(*number) == found.modified().unwrap());
    known.map_or("other".to_owned(), |number| number.to_string())
}

/// The standard library has no way to do so.
fn set_link_time(path: &Path, time: SystemTime) {
    let since = time.duration_since(UNIX_EPOCH).unwrap();
    let stamp = format!("@{}.{:09}", since.as_secs(), since.subsec_nanos());
    let mut touch = std::process::Command::new("touch");
    let touched = touch.args(["-h", "-d", &stamp]).arg(path).status();
    assert!(touched.unwrap().success());
}

//! Modified times of directories.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use storage_core::{BackendExt, Location};
use storage_file::FileBackend;
use storage_sync::{Command, Comparison, Event, Options, SavedPlan};
use tempfile::TempDir;

use crate::trees::{Store, at, events, job, memory, planned, put, run, tree};

struct Pair {
    from: Store,
    to: Store,
    source: TempDir,
    destination: TempDir,
}

impl Pair {
    /// `a` with `a/b`, and `empty`, with times in the past.
    async fn new() -> Self {
        let (source, destination) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (from, to) = (open(&source).await, open(&destination).await);
        put(&from, "src/a/b/1", "1", 1).await;
        put(&from, "src/a/2", "2", 2).await;
        fs::create_dir(source.path().join("src/empty")).unwrap();
        let pair = Self {
            from,
            to,
            source,
            destination,
        };
        pair.age_source();
        pair
    }

    fn age_source(&self) {
        for (n, name) in ["src/a/b", "src/a", "src/empty", "src"].iter().enumerate() {
            set(&self.source.path().join(name), at(100 * n as u64));
        }
    }

    fn there(&self, name: &str) -> std::path::PathBuf {
        self.destination.path().join("dst").join(name)
    }

    async fn run(&self, command: Command, options: Options) -> u64 {
        let summary = run(command, &self.from, &self.to, options).await.unwrap();
        summary.directories_updated
    }

    /// Asserts that all directories but the roots have the same times on both sides.
    fn assert_alike(&self, what: &str) {
        let times = directories(&self.destination.path().join("dst"));
        assert!(times.len() >= 2, "{what}");
        assert_eq!(
            directories(&self.source.path().join("src")),
            times,
            "{what}"
        );
    }
}

async fn open(dir: &TempDir) -> Store {
    Arc::new(FileBackend::open(dir.path()).await.unwrap())
}

fn set(path: &Path, time: SystemTime) {
    File::open(path).unwrap().set_modified(time).unwrap();
}

fn time(path: &Path) -> SystemTime {
    fs::metadata(path).unwrap().modified().unwrap()
}

/// The directories below `root` with their times.
fn directories(root: &Path) -> BTreeMap<String, SystemTime> {
    let mut found = BTreeMap::new();
    let mut open = vec![root.to_path_buf()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap();
                found.insert(name.to_owned(), time(&path));
                open.push(path);
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn directories_get_the_modified_times_of_the_source() {
    for command in [Command::Sync, Command::Copy] {
        let pair = Pair::new().await;
        let options = || Options::default().create_empty_dirs(true);
        assert_eq!(pair.run(command, options()).await, 3, "{command}");
        pair.assert_alike("new");
        assert_ne!(time(&pair.there("")), at(300), "the root's is left alone");
        assert_eq!(pair.run(command, options()).await, 0, "{command}");

        set(&pair.there("empty"), at(7));
        assert_eq!(pair.run(command, options()).await, 1, "{command}");
        pair.assert_alike("changed at the destination");

        put(&pair.from, "src/a/new", "new", 3).await;
        put(&pair.from, "src/a/b/deep/er", "new", 3).await;
        pair.age_source();
        // `a`, `a/b` and the new one, whose time is listed; nobody changes `empty`.
        assert_eq!(pair.run(command, options()).await, 3, "{command}");
        pair.assert_alike("written to");
        assert_eq!(pair.run(command, options()).await, 0, "{command}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_keeps_its_modified_time_when_a_sync_deletes_in_it() {
    let pair = Pair::new().await;
    pair.run(Command::Sync, Options::default()).await;
    fs::remove_file(pair.source.path().join("src/a/b/1")).unwrap();
    pair.age_source();
    assert_eq!(pair.run(Command::Sync, Options::default()).await, 1);
    assert!(!pair.there("a/b/1").exists());
    assert_eq!(time(&pair.there("a/b")), at(0));
    assert_eq!(pair.run(Command::Sync, Options::default()).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_gives_directories_the_times_from_before_it_emptied_them() {
    let pair = Pair::new().await;
    pair.run(Command::Move, Options::default()).await;
    assert_eq!(time(&pair.there("a/b")), at(0));
    assert_eq!(time(&pair.there("a")), at(100));
    assert!(!pair.there("empty").exists());
    // What a second run finds at the source are the times of the first one's removals.
    pair.run(Command::Move, Options::default()).await;
    assert_eq!(time(&pair.there("a/b")), at(0));
    assert_eq!(time(&pair.there("a")), at(100));
}

#[tokio::test(flavor = "multi_thread")]
async fn times_of_directories_are_left_alone_on_request() {
    let plain = Options::default;
    for options in [
        plain().no_update_dir_modtime(true),
        plain().ignore_existing(true),
        plain().existing(true),
        plain().immutable(true),
        plain().comparison(Comparison::SizeOnly),
    ] {
        let pair = Pair::new().await;
        pair.run(Command::Sync, plain()).await;
        set(&pair.there("a"), at(7));
        assert_eq!(pair.run(Command::Sync, options.clone()).await, 0);
        assert_eq!(time(&pair.there("a")), at(7), "{options:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_in_the_way_of_a_directory_keeps_its_time() {
    let pair = Pair::new().await;
    put(&pair.to, "dst/a", "a file", 50).await;
    let failed = run(Command::Copy, &pair.from, &pair.to, Options::default()).await;
    assert!(failed.is_err());
    assert_eq!(time(&pair.there("a")), at(50));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_tells_the_times_of_directories_and_a_saved_one_sets_them() {
    let dry = Pair::new().await;
    put(&dry.to, "dst/a/b/extra", "x", 1).await;
    let told = events(
        Command::Sync,
        &dry.from,
        &dry.to,
        Options::default().dry_run(true),
    )
    .await;
    assert_ne!(time(&dry.there("a")), at(100));
    let mut saved = String::new();
    let mut plan = job(Command::Sync, &dry.from, &dry.to, Options::default())
        .plan_lines("from", "to")
        .unwrap();
    while let Some(line) = plan.next().await {
        saved.push_str(&line.unwrap());
        saved.push('\n');
    }
    let store = memory();
    store.put("plan", saved).await.unwrap();
    let plan = SavedPlan::open(Location::new(store, "plan".parse().unwrap()));
    let (from, to) = (tree(&dry.from, "src"), tree(&dry.to, "dst"));
    let job = plan.await.unwrap().into_job(from, to, Options::default());
    let summary = job.unwrap().run().summary().await.unwrap();
    assert_eq!((summary.directories_updated, summary.deleted), (2, 1));
    assert_eq!(time(&dry.there("a/b")), at(0), "after the deletion in it");
    assert_eq!(time(&dry.there("a")), at(100));

    let wet = Pair::new().await;
    put(&wet.to, "dst/a/b/extra", "x", 1).await;
    let done = events(Command::Sync, &wet.from, &wet.to, Options::default()).await;
    assert_eq!(planned(&told), planned(&done));
    let sets = |event: &&Event| matches!(event, Event::Planned(action) if action.verb() == "set-dir-modified");
    assert_eq!(told.iter().filter(sets).count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_without_times_of_directories_is_synced_without_a_word() {
    let pair = Pair::new().await;
    let to = memory();
    let summary = run(Command::Sync, &pair.from, &to, Options::default()).await;
    assert_eq!(summary.unwrap().directories_updated, 0);
}

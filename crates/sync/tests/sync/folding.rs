//! Destinations that take different names for the same.

use std::sync::Arc;

use storage_core::{
    Backend, BackendExt, ExtendedBackend, Features, ListOptions, ListPage, NameFolding, ObjectInfo,
    ObjectPath, Prefix, ReadOptions, Reader, Result, RmdirOptions, WriteOptions, Writer,
    async_trait,
};
use storage_memory::MemoryBackend;
use storage_sync::{Command, DeleteTiming, Event, Job, Options, SyncError};

use crate::trees::{Store, events, failures, keys, memory, objects, put, run, run_failing, tree};

/// A store that takes upper and lower case, and both forms of é, for the same, and keeps what it was
/// given first.
#[derive(Debug, Default)]
struct Folding(MemoryBackend);

impl Folding {
    /// The path under which the store has it, as far as it does.
    async fn kept(&self, path: &ObjectPath) -> Result<ObjectPath> {
        let mut prefix = Prefix::root();
        for segment in path.segments() {
            let page = self.0.list(&prefix, ListOptions::default()).await?;
            let names = page.entries.iter().map(|info| info.path.file_name());
            let kept = names
                .into_iter()
                .find(|name| folded(name) == folded(segment));
            prefix = prefix.join(kept.unwrap_or(segment))?.as_prefix();
        }
        Ok(prefix.as_path().unwrap())
    }
}

#[async_trait]
impl Backend for Folding {
    fn name(&self) -> &'static str {
        "folding"
    }
    async fn reader(&self, path: &ObjectPath, options: ReadOptions) -> Result<Reader> {
        self.0.reader(&self.kept(path).await?, options).await
    }
    async fn writer(&self, path: &ObjectPath, options: WriteOptions) -> Result<Writer> {
        self.0.writer(&self.kept(path).await?, options).await
    }
    async fn delete(&self, path: &ObjectPath) -> Result<bool> {
        self.0.delete(&self.kept(path).await?).await
    }
    async fn list(&self, prefix: &Prefix, options: ListOptions) -> Result<ListPage> {
        self.0.list(prefix, options).await
    }
    async fn close(&self) -> Result<()> {
        self.0.close().await
    }
    fn as_extended(&self) -> Option<&dyn ExtendedBackend> {
        Some(self)
    }
}

#[async_trait]
impl ExtendedBackend for Folding {
    fn features(&self) -> Features {
        let features = Features::NONE
            .with_set_modified(true)
            .with_directories(true);
        features.with_create_new(true).with_custom_metadata(true)
    }
    fn name_folding(&self) -> NameFolding {
        NameFolding::CaseAndForm
    }
    async fn stat(&self, path: &ObjectPath) -> Result<ObjectInfo> {
        ExtendedBackend::stat(&self.0, &self.kept(path).await?).await
    }
    async fn rmdir(&self, path: &ObjectPath, options: RmdirOptions) -> Result<()> {
        self.0.rmdir(&self.kept(path).await?, options).await
    }
    async fn set_modified(&self, path: &ObjectPath, to: std::time::SystemTime) -> Result<()> {
        self.0.set_modified(&self.kept(path).await?, to).await
    }
}

fn folded(name: &str) -> String {
    name.to_lowercase().replace("e\u{301}", "é")
}

fn folding() -> Store {
    Arc::new(Folding::default())
}

#[tokio::test]
async fn names_that_are_one_at_the_destination_are_a_failure_and_never_merged() {
    let (from, to) = (memory(), folding());
    put(&from, "src/Read.me", "first", 1).await;
    put(&from, "src/a", "a", 1).await;
    put(&from, "src/read.ME", "second", 2).await;
    put(&to, "dst/extra", "x", 1).await;
    for _ in 0..2 {
        let summary = run_failing(Command::Sync, &from, &to, Options::default()).await;
        let what = "the destination takes \"read.ME\" for the name of another object of the source";
        assert_eq!(failures(&summary), [format!("read.ME: {what}")]);
        assert_eq!(summary.deletions_withheld, 1);
        let found = objects(&to, "dst").await;
        assert_eq!(found["Read.me"], "first");
        assert_eq!(found.keys().collect::<Vec<_>>(), ["Read.me", "a", "extra"]);
    }
}

#[tokio::test]
async fn an_object_is_found_under_the_case_that_the_destination_keeps() {
    let (from, to) = (memory(), folding());
    put(&from, "src/Dir/File", "same", 1).await;
    put(&from, "src/New", "n", 1).await;
    put(&from, "src/Other", "long", 2).await;
    put(&to, "dst/dir/file", "same", 1).await;
    put(&to, "dst/OTHER", "x", 1).await;
    put(&to, "dst/gone", "x", 1).await;
    let summary = run(Command::Sync, &from, &to, Options::default())
        .await
        .unwrap();
    assert_eq!(
        (summary.created, summary.updated, summary.deleted),
        (1, 1, 1)
    );
    assert_eq!(keys(&to, "dst").await, ["New", "OTHER", "dir/", "dir/file"]);
    assert_eq!(objects(&to, "dst").await["OTHER"], "long");
    let again = run(Command::Sync, &from, &to, Options::default())
        .await
        .unwrap();
    assert_eq!((again.created, again.updated, again.deleted), (0, 0, 0));
    let checked = events(Command::Check, &from, &to, Options::default()).await;
    let matches = checked
        .iter()
        .filter(|event| matches!(event, Event::Match { .. }));
    assert_eq!(matches.count(), 3);
}

#[tokio::test]
async fn two_forms_of_a_letter_are_one_name_at_such_a_destination() {
    let (from, to) = (memory(), folding());
    put(&from, "src/cafe\u{301}", "one", 1).await;
    put(&from, "src/d/e\u{301}", "same", 1).await;
    put(&to, "dst/d/\u{e9}", "same", 1).await;
    let summary = run(Command::Sync, &from, &to, Options::default()).await;
    let summary = summary.unwrap();
    assert_eq!((summary.created, summary.deleted), (1, 0));
    put(&from, "src/caf\u{e9}", "two", 1).await;
    let summary = run_failing(Command::Sync, &from, &to, Options::default()).await;
    assert_eq!(summary.errors, 1);
    assert_eq!(objects(&to, "dst").await["cafe\u{301}"], "one");
}

#[tokio::test]
async fn deletions_cannot_come_before_all_names_are_known() {
    let (from, to) = (memory(), folding());
    let options = Options::default().delete_timing(DeleteTiming::During);
    let refused = Job::new(Command::Sync, tree(&from, ""), tree(&to, ""), options);
    assert!(matches!(
        refused,
        Err(SyncError::Option {
            option: "delete_timing",
            ..
        })
    ));
}

#[tokio::test]
async fn a_name_that_the_destination_cannot_hold_is_a_failure_of_that_object() {
    let dir = tempfile::tempdir().unwrap();
    let to: Store = Arc::new(storage_file::FileBackend::open(dir.path()).await.unwrap());
    let from = memory();
    let long = "n".repeat(300);
    for path in ["src/a", "src/z", &format!("src/{long}")] {
        put(&from, path, "x", 1).await;
    }
    let summary = run_failing(Command::Copy, &from, &to, Options::default()).await;
    assert_eq!((summary.created, summary.errors), (2, 1));
    assert_eq!(summary.failures[0].path.as_deref(), Some(long.as_str()));
    assert!(to.has("dst/z").await.unwrap());
}

#[tokio::test]
async fn other_trees_are_looked_at_before_a_name_in_another_case_is_replaced() {
    let (from, to, other) = (memory(), folding(), memory());
    put(&from, "src/File", "new", 2).await;
    put(&to, "dst/FILE", "old content", 1).await;
    let immutable = Options::default()
        .immutable(true)
        .compare_dest(vec![tree(&other, "old")]);
    let summary = run_failing(Command::Copy, &from, &to, immutable.clone()).await;
    assert_eq!(
        failures(&summary),
        ["File: \"File\" differs and is immutable"]
    );
    put(&other, "old/File", "new", 2).await;
    let summary = run(Command::Copy, &from, &to, immutable).await.unwrap();
    assert_eq!((summary.updated, summary.skipped), (0, 1));
    assert_eq!(objects(&to, "dst").await["FILE"], "old content");
    let log = storage_faults::Recording::new();
    let source: Store = Arc::new(storage_faults::Intercept::over(&log, from));
    let copying = Options::default().copy_dest(vec![tree(&other, "old")]);
    let summary = run(Command::Copy, &source, &to, copying).await.unwrap();
    assert_eq!(summary.updated, 1);
    let reads = log.records().into_iter();
    let mut reads = reads.filter(|call| call.operation == storage_core::Operation::Read);
    assert!(reads.next().is_none(), "the other tree's is copied");
    assert_eq!(objects(&to, "dst").await["FILE"], "new");
}

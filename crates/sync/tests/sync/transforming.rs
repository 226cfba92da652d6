//! Objects that are changed on the way.

use std::sync::Arc;

use storage_core::{BackendExt, ObjectInfo, ObjectPath, Reader, Result, async_trait};
use storage_sync::{
    Bisync, BisyncOptions, Command, Job, Options, Summary, SyncError, Transform, Tree,
};

use crate::trees::{Store, at, flat, keys, masked, memory, put, times, tree};

/// Adds `.up` to names and writes contents in upper case; leaves `.raw` alone.
#[derive(Debug)]
struct Upper;

#[async_trait]
impl Transform for Upper {
    fn rename(&self, path: &ObjectPath) -> Result<ObjectPath> {
        match self.changes_content(path) {
            true => ObjectPath::new(format!("{path}.up")),
            false => Ok(path.clone()),
        }
    }

    fn changes_content(&self, path: &ObjectPath) -> bool {
        !path.ends_with(".raw")
    }

    async fn transform(&self, _path: &ObjectPath, content: Reader) -> Result<Reader> {
        let info = ObjectInfo::new(content.info().path.clone());
        let bytes = content.bytes().await?;
        let upper = bytes.to_ascii_uppercase();
        let len = upper.len() as u64;
        Ok(Reader::from_bytes(info, 0..len, upper.into()))
    }
}

/// Calls everything the same.
#[derive(Debug)]
struct Same;

impl Transform for Same {
    fn rename(&self, _path: &ObjectPath) -> Result<ObjectPath> {
        ObjectPath::new("same")
    }
}

fn upper(store: &Store) -> Tree {
    tree(store, "src").transformed(Arc::new(Upper))
}

async fn run(command: Command, from: &Store, to: &Store) -> Result<Summary, SyncError> {
    let job = Job::new(command, upper(from), tree(to, "dst"), Options::default())?;
    job.run().summary().await
}

/// Names whose order is another with the suffix.
async fn fill(store: &Store) {
    for (n, path) in ["a", "a!b", "a.b", "a/1", "z.raw"].into_iter().enumerate() {
        put(
            store,
            &format!("src/{path}"),
            format!("of {path}"),
            n as u64,
        )
        .await;
    }
}

const MADE: [&str; 5] = ["a!b.up", "a.b.up", "a.up", "a/1.up", "z.raw"];

fn pairs() -> Vec<(Store, Store)> {
    let kinds: [fn() -> Store; 3] = [
        flat,
        || masked(&["set_modified"]),
        || masked(&["set_modified", "custom_metadata"]),
    ];
    kinds
        .iter()
        .flat_map(|from| kinds.iter().map(|to| (from(), to())))
        .collect()
}

#[tokio::test]
async fn a_second_run_of_a_transformed_tree_transfers_nothing_on_every_pair_of_stores() {
    for (from, to) in pairs() {
        fill(&from).await;
        put(&to, "dst/extra", "x", 1).await;
        let first = run(Command::Sync, &from, &to).await.unwrap();
        assert_eq!((first.created, first.deleted), (5, 1));
        assert_eq!(keys(&to, "dst").await, MADE);
        assert_eq!(to.get("dst/a/1.up").await.unwrap(), "OF A/1");
        assert_eq!(to.get("dst/z.raw").await.unwrap(), "of z.raw");
        let second = run(Command::Sync, &from, &to).await.unwrap();
        assert_eq!((second.bytes, second.skipped, second.deleted), (0, 5, 0));
        assert!(run(Command::Check, &from, &to).await.unwrap().is_clean());
    }
}

#[tokio::test]
async fn modified_times_are_those_of_the_source() {
    let (from, to) = (flat(), flat());
    fill(&from).await;
    run(Command::Copy, &from, &to).await.unwrap();
    assert_eq!(times(&to, "dst").await["a.b.up"], Some(at(2)));
}

#[tokio::test]
async fn what_changed_is_sent_again_and_a_check_finds_it() {
    let (from, to) = (flat(), flat());
    fill(&from).await;
    run(Command::Copy, &from, &to).await.unwrap();
    put(&from, "src/a", "anew", 50).await;
    let checked = run(Command::Check, &from, &to).await.unwrap();
    assert_eq!((checked.matches, checked.differs), (4, 1));
    assert_eq!(run(Command::Copy, &from, &to).await.unwrap().updated, 1);
    assert_eq!(to.get("dst/a.up").await.unwrap(), "ANEW");
    // Another time alone sends nothing: the content is looked at.
    put(&from, "src/a", "anew", 60).await;
    let touched = run(Command::Copy, &from, &to).await.unwrap();
    assert_eq!((touched.updated, touched.bytes), (1, 0));
}

#[tokio::test]
async fn a_move_removes_what_was_made_from() {
    let (from, to) = (flat(), flat());
    fill(&from).await;
    let moved = run(Command::Move, &from, &to).await.unwrap();
    assert_eq!(moved.removed_from_source, 5);
    assert_eq!(keys(&to, "dst").await, MADE);
    assert!(keys(&from, "").await.is_empty());
}

#[tokio::test]
async fn two_objects_of_one_new_name_fail_the_run_before_anything_is_done() {
    let (from, to) = (flat(), flat());
    fill(&from).await;
    put(&to, "dst/kept", "1", 1).await;
    let source = tree(&from, "src").transformed(Arc::new(Same));
    let job = Job::new(Command::Sync, source, tree(&to, "dst"), Options::default()).unwrap();
    let error = job.run().summary().await.unwrap_err();
    assert!(error.to_string().contains("the same new name"), "{error}");
    assert_eq!(keys(&to, "dst").await, ["kept"]);
}

#[tokio::test]
async fn many_objects_go_over_in_pages() {
    let (from, to) = (flat(), flat());
    for n in 0..2500 {
        put(&from, &format!("src/{n}"), format!("{n}"), n).await;
    }
    assert_eq!(run(Command::Sync, &from, &to).await.unwrap().created, 2500);
    assert_eq!(run(Command::Sync, &from, &to).await.unwrap().skipped, 2500);
}

#[tokio::test]
async fn a_transformed_tree_is_a_source_without_filters() {
    let (from, to) = (flat(), memory());
    let refused = |source: Tree, destination: Tree, options: Options| {
        let job = Job::new(Command::Sync, source, destination, options);
        matches!(job, Err(SyncError::Option { .. }))
    };
    let filter = storage_filter::Filter::builder()
        .exclude("a")
        .unwrap()
        .build()
        .unwrap();
    let (plain, options) = (tree(&to, "dst"), Options::default());
    assert!(!refused(upper(&from), plain.clone(), options.clone()));
    assert!(refused(
        upper(&from),
        plain.clone(),
        options.clone().filter(filter)
    ));
    assert!(refused(plain.clone(), upper(&from), options));
    let overlap = Job::new(
        Command::Sync,
        upper(&to),
        tree(&to, "src/below"),
        Options::default(),
    );
    assert!(
        overlap.is_err(),
        "a tree and what is made from it are one place"
    );
    let side = Bisync::new(
        upper(&from),
        plain,
        tree(&to, "s"),
        BisyncOptions::default(),
    );
    assert!(matches!(side, Err(SyncError::Option { .. })));
}

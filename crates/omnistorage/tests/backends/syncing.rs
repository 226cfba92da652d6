use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use omnistorage::sync::{Command, Job, Options, Summary};
use omnistorage::{Backend, BackendExt};
use storage_conformance::server;

use crate::stores::Kind;
use crate::trees::{Tree, attributes, features, fill, read};

async fn sync(from: &Arc<dyn Backend>, to: &Arc<dyn Backend>) -> Summary {
    let (from, to) = (Arc::clone(from).into(), Arc::clone(to).into());
    let job = Job::new(Command::Sync, from, to, Options::default()).unwrap();
    let summary = job.run().summary().await.unwrap();
    assert!(summary.is_complete(), "{summary:?}");
    summary
}

/// Requires the same names and bytes, and the same times where both stores hold them.
fn assert_equal(what: &str, found: &Tree, expected: &Tree) {
    let names = |tree: &Tree| tree.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(found), names(expected), "{what}");
    for (name, (bytes, modified)) in expected {
        let (found, when) = &found[name];
        assert!(found == bytes, "{what}: {name:?} has other bytes");
        if modified.is_some() && when.is_some() {
            assert_eq!(when, modified, "{what}: the time of {name:?}");
        }
    }
}

/// One way, then a second run that must find nothing to do, then back into a third store.
async fn there_and_back(from: Kind, to: Kind) {
    let what = format!("{from:?} to {to:?}");
    let stores = [from.open().await, to.open().await, from.open().await];
    let [source, destination, back] = stores.each_ref().map(|store| Arc::clone(&store.backend));
    fill(&*source).await;
    let before = read(&*source).await;

    let first = sync(&source, &destination).await;
    assert_eq!(first.created, before.len() as u64, "{what}: {first:?}");
    assert_equal(&what, &read(&*destination).await, &before);
    let second = sync(&source, &destination).await;
    let changes = (second.created, second.updated, second.deleted, second.bytes);
    assert_eq!(changes, (0, 0, 0, 0), "{what}: the second run: {second:?}");

    sync(&destination, &back).await;
    assert_equal(&format!("{what} and back"), &read(&*back).await, &before);
    let [a, b] = [features(&*source), features(&*destination)];
    let (content_type, metadata) = attributes(&*back, "a b").await;
    if a.content_type && b.content_type {
        assert_eq!(
            content_type.as_deref(),
            Some("text/x-test"),
            "{what} and back"
        );
    }
    if a.custom_metadata && b.custom_metadata {
        assert_eq!(metadata.as_deref(), Some("grün 1"), "{what} and back");
    }
}

/// From one kind to every kind, itself included.
fn from_kind(from: Kind) {
    if !from.is_here() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.unwrap().block_on(async {
        for to in Kind::all() {
            there_and_back(from, to).await;
        }
    });
}

#[test]
fn from_files() {
    from_kind(Kind::File);
}

#[test]
fn from_memory() {
    from_kind(Kind::Memory);
}

#[test]
fn from_sqlite() {
    from_kind(Kind::Sqlite);
}

#[test]
fn from_redis() {
    from_kind(Kind::Redis);
}

#[test]
fn from_gcs() {
    from_kind(Kind::Gcs);
}

#[test]
fn from_s3() {
    from_kind(Kind::S3);
}

/// A folder below the root of a server, removed when it is no longer needed.
struct Served(PathBuf);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// HTTP is read alone, so nothing comes back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_http() {
    let Some((url, root)) = server("nginx").zip(server("nginx_root")) else {
        return;
    };
    let name = format!("pairs-{}", std::process::id());
    let served = Served(PathBuf::from(root).join(&name));
    fs::create_dir_all(&served.0).unwrap();
    let folder = served.0.to_str().unwrap();
    let folder = omnistorage::open_uri(folder).await.unwrap();
    fill(&*folder).await;
    // The index pages of nginx leave out what begins with a dot.
    assert!(folder.remove("..foo").await.unwrap());
    let before = read(&*folder).await;
    let source = omnistorage::open_uri(&format!("{url}{name}/")).await;
    let source = source.unwrap();
    assert_equal("nginx", &read(&*source).await, &before);
    for to in Kind::all() {
        let store = to.open().await;
        let what = format!("HTTP to {to:?}");
        let first = sync(&source, &store.backend).await;
        assert_eq!(first.created, before.len() as u64, "{what}: {first:?}");
        assert_equal(&what, &read(&*store.backend).await, &before);
        let second = sync(&source, &store.backend).await;
        let changes = (second.created, second.updated, second.deleted, second.bytes);
        assert_eq!(changes, (0, 0, 0, 0), "{what}: the second run: {second:?}");
    }
}

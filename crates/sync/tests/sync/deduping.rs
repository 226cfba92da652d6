//! Duplicates by content.

use std::sync::Arc;

use storage_core::{BackendExt, Bytes, Operation, WriteOptions};
use storage_faults::{Counting, Intercept};
use storage_memory::MemoryBackend;
use storage_sync::{
    Action, Answer, Confirm, Confirmation, Dedupe, Event, Keep, Options, Summary, SyncError,
};

use crate::trees::{Store, flat, keys, masked, memory, put, tagged, tree};

/// Three of one content, two empty ones, two of one size, and a single one.
async fn fill(store: &Store) {
    for (path, content, seconds) in [
        ("t/a", "same", 2),
        ("t/b/c", "same", 1),
        ("t/d", "same", 3),
        ("t/e1", "", 1),
        ("t/e2", "", 1),
        ("t/other", "emas", 1),
        ("t/single", "of its own size", 1),
    ] {
        put(store, path, content, seconds).await;
    }
    put(store, "outside", "same", 1).await;
}

async fn dedupe(store: &Store, keep: Keep, options: Options) -> Result<Summary, SyncError> {
    let search = Dedupe::new(tree(store, "t"), keep, options)?;
    search.run().summary().await
}

#[tokio::test]
async fn duplicates_are_told_and_nothing_is_deleted_by_default() {
    for store in [memory(), flat(), masked(&["hashes", "versions"])] {
        fill(&store).await;
        let before = keys(&store, "").await;
        let search = Dedupe::new(tree(&store, "t"), Keep::All, Options::default()).unwrap();
        let (mut run, mut found) = (search.run(), Vec::new());
        let mut counted = (0, 0);
        while let Some(event) = run.next().await {
            match event {
                Event::Duplicate { path, of, .. } => found.push(format!("{path} = {of}")),
                Event::Summary(summary) => counted = (summary.duplicates, summary.duplicate_bytes),
                _ => {}
            }
        }
        found.sort();
        assert_eq!(found, ["b/c = a", "d = a", "e2 = e1"]);
        assert_eq!(counted, (3, 8));
        assert_eq!(keys(&store, "").await, before);
    }
}

#[tokio::test]
async fn one_of_each_content_stays() {
    for (keep, kept) in [
        (Keep::First, "a"),
        (Keep::Newest, "d"),
        (Keep::Oldest, "b/c"),
    ] {
        let store = flat();
        fill(&store).await;
        let dry = dedupe(&store, keep, Options::default().dry_run(true))
            .await
            .unwrap();
        assert_eq!((dry.deleted, keys(&store, "t").await.len()), (3, 7));
        let summary = dedupe(&store, keep, Options::default().download(true))
            .await
            .unwrap();
        assert_eq!(summary.deleted, 3);
        let mut expected = vec![kept, "e1", "other", "single"];
        expected.sort_unstable();
        assert_eq!(keys(&store, "t").await, expected);
        assert!(store.has("outside").await.unwrap());
        assert_eq!(
            dedupe(&store, keep, Options::default())
                .await
                .unwrap()
                .duplicates,
            0
        );
    }
}

#[tokio::test]
async fn what_changed_since_it_was_compared_is_kept() {
    /// Changes the object that is to stay when the first deletion is asked about.
    struct Meddling(Store);
    #[storage_core::async_trait]
    impl Confirm for Meddling {
        async fn confirm(&self, _action: &Action) -> Answer {
            put(&self.0, "t/a", "changed by somebody", 9).await;
            Answer::Yes
        }
    }
    let store = flat();
    fill(&store).await;
    let confirm = Confirmation::new(Arc::new(Meddling(Arc::clone(&store))));
    let options = Options::default().confirm(confirm).filter(
        storage_filter::Filter::builder()
            .exclude("e*")
            .unwrap()
            .build()
            .unwrap(),
    );
    let error = dedupe(&store, Keep::First, options).await.unwrap_err();
    assert!(error.to_string().contains("2 failed"), "{error}");
    assert_eq!(
        keys(&store, "t").await.len(),
        7,
        "the content of the three is still there"
    );
}

#[tokio::test]
async fn somebody_can_be_asked() {
    struct Only(&'static str);
    #[storage_core::async_trait]
    impl Confirm for Only {
        async fn confirm(&self, action: &Action) -> Answer {
            let wanted = action.path().as_str() == self.0;
            if wanted { Answer::Yes } else { Answer::No }
        }
    }
    let store = flat();
    fill(&store).await;
    let options = Options::default().confirm(Confirmation::new(Arc::new(Only("d"))));
    let summary = dedupe(&store, Keep::First, options).await.unwrap();
    assert_eq!((summary.deleted, summary.skipped), (1, 2));
    assert!(!store.has("t/d").await.unwrap());
}

#[tokio::test]
async fn objects_of_different_sizes_are_not_read() {
    let counting = Counting::new();
    let store: Store = Arc::new(counting.over(MemoryBackend::new()));
    for n in 0..50 {
        put(&store, &format!("t/{n}"), Bytes::from(vec![1; n]), 1).await;
    }
    dedupe(&store, Keep::First, Options::default())
        .await
        .unwrap();
    assert_eq!(counting.of(Operation::Read).calls, 0);
}

#[tokio::test]
async fn hashes_that_the_store_keeps_are_used_and_checksums_are_no_proof() {
    for (hash, reads) in [
        (storage_core::HashType::Md5, 0),
        (storage_core::HashType::Crc32c, 2),
    ] {
        let counting = Counting::new();
        let store: Store = Arc::new(counting.over(MemoryBackend::new()));
        for path in ["t/a", "t/b"] {
            let path = storage_core::ObjectPath::new(path).unwrap();
            let options = WriteOptions::default().hashes(hash);
            store
                .write(&path, Bytes::from_static(b"same").into(), options)
                .await
                .unwrap();
        }
        let summary = dedupe(&store, Keep::First, Options::default())
            .await
            .unwrap();
        assert_eq!(
            (summary.deleted, counting.of(Operation::Read).calls),
            (1, reads),
            "{hash:?}"
        );
    }
}

#[tokio::test]
async fn two_names_of_one_file_are_no_duplicates() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("file"), "same").unwrap();
    std::fs::hard_link(dir.path().join("file"), dir.path().join("hard")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("file", dir.path().join("a-link")).unwrap();
    std::fs::write(dir.path().join("true-copy"), "same").unwrap();
    let store: Store = Arc::new(storage_file::FileBackend::open(dir.path()).await.unwrap());
    let search = Dedupe::new(tree(&store, ""), Keep::First, Options::default()).unwrap();
    let summary = search.run().summary().await.unwrap();
    assert_eq!(summary.deleted, 1);
    assert!(!dir.path().join("true-copy").exists());
    assert_eq!(std::fs::read(dir.path().join("file")).unwrap(), b"same");
    assert!(dir.path().join("hard").exists());
}

#[tokio::test]
async fn options_that_mean_nothing_here_are_refused() {
    let store = memory();
    for options in [Options::default().update(true), Options::default().tries(7)] {
        let search = Dedupe::new(tree(&store, "t"), Keep::First, options);
        assert!(matches!(search, Err(SyncError::Option { .. })));
    }
}

#[tokio::test]
async fn what_was_replaced_is_kept_where_listings_show_tags_alone() {
    /// Replaces the object that is asked about by one of its size.
    struct Meddling(Store);
    #[storage_core::async_trait]
    impl Confirm for Meddling {
        async fn confirm(&self, _action: &Action) -> Answer {
            put(&self.0, "t/b/c", "else", 9).await;
            Answer::Yes
        }
    }
    let store = tagged();
    put(&store, "t/a", "same", 1).await;
    put(&store, "t/b/c", "same", 1).await;
    put(&store, "t/d", "same", 1).await;
    let confirm = Confirmation::new(Arc::new(Meddling(Arc::clone(&store))));
    let options = Options::default().confirm(confirm);
    let error = dedupe(&store, Keep::First, options).await.unwrap_err();
    assert!(error.to_string().contains("1 failed"), "{error}");
    assert_eq!(store.get("t/b/c").await.unwrap(), "else");
    assert!(!store.has("t/d").await.unwrap());
}

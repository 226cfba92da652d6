//! Trees that change while they are walked.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use storage_core::{BackendExt, Error, Operation, Result, async_trait};
use storage_faults::{Call, Intercept};
use storage_sync::{Command, Options};

use crate::trees::{Store, failures, keys, memory, put, run, run_failing};

/// Changes the tree once, after its first page was listed.
#[derive(Debug, Clone)]
struct Changing {
    store: Store,
    has_changed: Arc<AtomicBool>,
}

#[async_trait]
impl Intercept for Changing {
    async fn after(&self, call: &Call<'_>, _: Result<u64, &Error>) -> Result<()> {
        let listed = call.operation() == Operation::List;
        if listed && !self.has_changed.swap(true, Ordering::Relaxed) {
            self.store.remove("src/a").await?;
            self.store.remove("src/d").await?;
            put(&self.store, "src/0", "before the walk", 1).await;
            put(&self.store, "src/bb", "ahead of the walk", 1).await;
        }
        Ok(())
    }
}

#[tokio::test]
async fn files_that_appear_and_vanish_during_the_walk_disturb_no_other() {
    let (inside, to) = (memory(), memory());
    for path in ["src/a", "src/b", "src/c", "src/d", "dst/extra"] {
        put(&inside, path, "x", 1).await;
    }
    put(&to, "dst/extra", "x", 1).await;
    let changing = Changing {
        store: Arc::clone(&inside),
        has_changed: Arc::default(),
    };
    let from: Store = Arc::new(changing.over(Arc::clone(&inside)));
    let options = Options::default().page_size(2);
    let summary = run_failing(Command::Sync, &from, &to, options.clone()).await;
    let vanished = failures(&summary);
    assert_eq!(vanished.len(), 1, "{vanished:?}");
    assert!(vanished[0].starts_with("a: "), "{vanished:?}");
    assert_eq!(keys(&to, "dst").await, ["b", "bb", "c", "extra"]);
    run(Command::Sync, &from, &to, options).await.unwrap();
    assert_eq!(keys(&to, "dst").await, ["0", "b", "bb", "c"]);
}

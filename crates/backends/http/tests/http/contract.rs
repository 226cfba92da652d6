//! The conformance suite: reads through HTTP of what is written beside it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use storage_conformance::{Fresh, Outcome, Seeded, Suite, server};
use storage_core::Result;
use storage_file::{FileBackend, Fsync};
use storage_http::HttpBackend;
use storage_memory::MemoryBackend;
use storage_static_server::StaticServer;

/// Over the backend in memory, whose versions the server gives as entity tags.
async fn in_process(versions: bool) -> Result<Fresh> {
    let memory = MemoryBackend::builder().directories(false).build();
    let served = StaticServer::start(Arc::new(memory.clone())).await?;
    let url = served.url();
    let open = move |memory: MemoryBackend| {
        let builder = HttpBackend::builder(&url).versions(versions);
        async move { Ok(Seeded::new(builder.open().await?, memory)) }
    };
    let (again, beside, first) = (memory.clone(), memory.clone(), memory);
    let (reopen, second) = (open.clone(), open.clone());
    Ok(Fresh::new(open(first).await?)
        .reopen(move || reopen(again.clone()))
        .second(move || second(beside.clone()))
        .keep(served))
}

/// Writes go beside the backend: what they race for is not decided here.
fn moderate(suite: Suite) -> Suite {
    suite.large(4 << 20).racers(16).rounds(8)
}

mod with_versions {
    storage_conformance::conformance!(
        suite = super::moderate(super::Suite::new(|| super::in_process(true)))
    );
}

mod without_versions {
    storage_conformance::conformance!(
        suite = super::moderate(super::Suite::new(|| super::in_process(false)))
    );
}

/// Writes into a new folder below `root`, and reads it below `url`.
async fn folder_of(root: PathBuf, url: String) -> Result<Fresh> {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("http-{}-{count}", std::process::id());
    let folder = root.join(&name);
    let writes = FileBackend::builder(&folder)
        .fsync(Fsync::None)
        .open()
        .await?;
    let reads = HttpBackend::builder(format!("{url}{name}/")).open().await?;
    Ok(Fresh::new(Seeded::new(reads, writes)).keep(Removed(folder)))
}

/// Removes a folder when it is no longer needed.
struct Removed(PathBuf);

impl Drop for Removed {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A file and a directory of one name are no rule that a server over a file system can keep, whoever
/// reads from it.
const OF_FILES: &str = "keys_without_directories";

async fn conforms_but_for(suite: Suite, exceptions: &[&str]) {
    let report = moderate(suite).run().await;
    println!("{report}");
    for rule in report.rules() {
        let excepted = exceptions.contains(&rule.rule().name());
        match rule.outcome() {
            Outcome::Failed(_) => assert!(excepted, "{rule:#}"),
            // An exception that is none any more is to be taken off the list.
            _ => assert!(!excepted, "{rule:#}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn over_nginx() {
    let (Some(url), Some(root)) = (server("nginx"), server("nginx_root")) else {
        return;
    };
    let suite = Suite::new(move || folder_of(root.clone().into(), url.clone()));
    // Its index pages leave out names that begin with a dot.
    conforms_but_for(suite, &[OF_FILES, "path_literal_names"]).await;
}

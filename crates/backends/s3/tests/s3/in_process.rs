//! The suite on the server in the process, where nothing is hidden from the test.

use std::sync::Arc;

use storage_conformance::{Fresh, Suite};
use storage_core::{BackendExt, ListOptions, Prefix, Result};
use storage_memory::MemoryBackend;
use storage_s3::{Capabilities, S3Backend, S3Builder};
use storage_s3_server::{S3Server, ServerOptions};
use tokio::sync::OnceCell;

use crate::bucket::{KEY, SECRET};

/// Finding out what the server can do costs requests; it is the same for every test.
static KNOWN: OnceCell<Capabilities> = OnceCell::const_new();

async fn start() -> Result<(S3Server, MemoryBackend, S3Builder)> {
    let store = MemoryBackend::builder().directories(false).build();
    let options = ServerOptions::new(KEY, SECRET).bucket("bucket");
    let server = S3Server::start(Arc::new(store.clone()), options).await?;
    let builder = S3Backend::builder("bucket")
        .endpoint(server.endpoint())
        .region("us-east-1")
        .credentials(KEY, SECRET, None);
    Ok((server, store, builder))
}

async fn fresh() -> Result<Fresh> {
    let (server, store, builder) = start().await?;
    let probed = builder.clone();
    let found = async { Ok::<_, storage_core::Error>(probed.open().await?.capabilities()) };
    let known = *KNOWN.get_or_try_init(|| found).await?;
    let builder = builder.capabilities(known);
    let (again, second) = (builder.clone(), builder.clone());
    Ok(Fresh::new(builder.open().await?)
        .reopen(move || again.clone().open())
        .second(move || second.clone().open())
        .residue(move || temporary(store.clone()))
        .keep(server))
}

/// What the server holds beside buckets and their objects: unfinished uploads, bodies on their way.
async fn temporary(store: MemoryBackend) -> Result<Vec<String>> {
    let options = ListOptions::default().recursive(true);
    let entries = store.entries(Prefix::new(".omnistorage-s3")?, options);
    let entries = entries.collect().await?;
    let paths = entries.iter().map(|info| info.path.to_string());
    Ok(paths.filter(|path| !path.contains("/buckets/")).collect())
}

storage_conformance::conformance!(
    suite = Suite::new(fresh)
        .large(20 << 20)
        .rounds(3)
        .racers(16)
        .many(1010)
);

#[tokio::test]
async fn everything_is_found_to_be_possible() -> Result<()> {
    let (_server, _, builder) = start().await?;
    assert_eq!(builder.open().await?.capabilities(), Capabilities::ALL);
    Ok(())
}

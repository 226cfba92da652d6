//! Prints the Features table of every backend as the conformance suite proves it, each between
//! `<!-- NAME:begin -->` and `<!-- NAME:end -->`. `cargo xtask features` puts them into
//! `docs/backends/NAME.md`.

use std::process::ExitCode;
use std::sync::Arc;

use storage_channel::{ChannelBackend, Mode};
use storage_conformance::{Fresh, Seeded, Suite, features_table, server};
use storage_core::{BackendFactory, Uri};
use storage_file::FileBackend;
use storage_gcs::GcsBackend;
use storage_gcs_emulator::Emulator;
use storage_http::HttpBackend;
use storage_memory::MemoryBackend;
use storage_redis::RedisFactory;
use storage_sqlite::SqliteBackend;
use storage_static_server::StaticServer;

/// The suite of every backend that needs no server to be installed, or whose server is there, by the
/// name of its page.
fn suites() -> Vec<(&'static str, Suite)> {
    let mut suites = vec![
        ("channel", Suite::new(channel)),
        ("file", Suite::new(file)),
        ("gcs", Suite::new(gcs)),
        ("http", Suite::new(http)),
        ("memory", Suite::new(memory)),
        ("sqlite", Suite::new(sqlite)),
    ];
    if let Some(address) = server("redis") {
        suites.push(("redis", Suite::new(move || redis(address.clone()))));
    }
    suites
}

/// In the mode in which a stream that has ended is an object as on any backend.
async fn channel() -> storage_core::Result<ChannelBackend> {
    ChannelBackend::builder().mode(Mode::Replay).build()
}

async fn file() -> storage_core::Result<Fresh> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().to_path_buf();
    let reopen = move || {
        let path = path.clone();
        async move { FileBackend::open(path).await }
    };
    let backend = FileBackend::open(folder.path()).await?;
    Ok(Fresh::new(backend).reopen(reopen).keep(folder))
}

/// Without credentials, so without presigned URLs.
async fn gcs() -> storage_core::Result<Fresh> {
    let emulator = Arc::new(Emulator::start().await?);
    emulator.create_bucket("features");
    let open = {
        let emulator = Arc::clone(&emulator);
        move || {
            let builder = GcsBackend::builder("features").anonymous();
            builder
                .endpoint(emulator.endpoint())
                .part_size(256 << 10)
                .open()
        }
    };
    let backend = open().await?;
    Ok(Fresh::new(backend).reopen(open).keep(emulator))
}

/// Over a server in this process, which has no files and directories that exclude each other.
async fn http() -> storage_core::Result<Fresh> {
    let memory = MemoryBackend::builder().directories(false).build();
    let server = StaticServer::start(Arc::new(memory.clone())).await?;
    let reads = HttpBackend::builder(server.url()).open().await?;
    Ok(Fresh::new(Seeded::new(reads, memory)).keep(server))
}

async fn memory() -> storage_core::Result<MemoryBackend> {
    Ok(MemoryBackend::builder().build())
}

async fn sqlite() -> storage_core::Result<Fresh> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("data.db");
    let backend = SqliteBackend::open(path.clone()).await?;
    let reopen = move || SqliteBackend::open(path.clone());
    Ok(Fresh::new(backend).reopen(reopen).keep(folder))
}

/// Below a prefix of its own each time.
async fn redis(address: String) -> storage_core::Result<Fresh> {
    let folder = tempfile::tempdir()?;
    let prefix = folder.path().to_string_lossy().into_owned();
    let factory = RedisFactory::new();
    let config = factory.config_of(&Uri::parse(&address)?)?;
    let config = config.with("prefix", prefix);
    let backend = factory.open(config.clone()).await?;
    let reopen = move || {
        let config = config.clone();
        async move { factory.open(config).await }
    };
    Ok(Fresh::new(backend).reopen(reopen))
}

fn main() -> ExitCode {
    match print() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Prints all tables; `false` when a backend breaks a rule.
fn print() -> storage_core::Result<bool> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let mut conforming = true;
    for (name, suite) in suites() {
        let report = runtime.block_on(suite.large(1 << 20).rounds(2).run());
        for failure in report.failures() {
            eprintln!("{name}: {failure:#}");
        }
        conforming &= report.is_conforming();
        let table = features_table(&[&report]);
        println!("<!-- {name}:begin -->\n{table}<!-- {name}:end -->");
    }
    Ok(conforming)
}

//! Prints the Features table of every backend as the conformance suite proves it, each between
//! `<!-- NAME:begin -->` and `<!-- NAME:end -->`. `cargo xtask features` puts them into
//! `docs/backends/NAME.md`.

use std::process::ExitCode;
use std::sync::Arc;

use storage_channel::{ChannelBackend, Mode};
use storage_conformance::{Fresh, Seeded, Suite, features_table};
use storage_file::FileBackend;
use storage_http::HttpBackend;
use storage_memory::MemoryBackend;
use storage_static_server::StaticServer;

/// The suite of every backend that needs no server, by the name of its page.
fn suites() -> Vec<(&'static str, Suite)> {
    vec![
        ("channel", Suite::new(channel)),
        ("file", Suite::new(file)),
        ("http", Suite::new(http)),
        ("memory", Suite::new(memory)),
    ]
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

//! Prints the Features table of every backend as the conformance suite proves it, each between
//! `<!-- NAME:begin -->` and `<!-- NAME:end -->`. `cargo xtask features` puts them into
//! `docs/backends/NAME.md`.

use std::process::ExitCode;
use std::sync::Arc;

use storage_channel::{ChannelBackend, Mode};
use storage_conformance::{Fresh, Suite, features_table};
use storage_file::FileBackend;
use storage_gcs::GcsBackend;
use storage_gcs_emulator::Emulator;
use storage_memory::MemoryBackend;

/// The suite of every backend that needs no server to be installed, by the name of its page.
fn suites() -> Vec<(&'static str, Suite)> {
    vec![
        ("channel", Suite::new(channel)),
        ("file", Suite::new(file)),
        ("gcs", Suite::new(gcs)),
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

//! The benchmark `formats`: record formats and pipelines beside the crates they are built on, used by
//! hand, and beside programs.

mod framing;
mod input;
mod race;
mod values;
mod whole;

use std::future::Future;
use std::sync::Arc;

use storage_core::{BackendFactory, Config};
use storage_file::FileFactory;

use crate::arguments::Arguments;
use crate::trees::Scratch;
use crate::{Result, machine};

/// Runs everything; gives the section of the document.
pub(crate) fn run(arguments: &Arguments) -> Result<String> {
    let rounds = arguments.rounds.unwrap_or(15);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let scratch = Scratch::new(&arguments.dir)?;
    let root = scratch.folder("root")?;
    let text = root.to_str().ok_or("the folder is not UTF-8")?;
    let config = Config::from_iter([("root", text), ("fsync", "none")]);
    let place = whole::Place {
        backend: runtime.block_on(FileFactory.open(config))?,
        runtime: Arc::new(runtime),
        root,
    };
    let races = framing::races()?.into_iter().chain(values::races()?);
    let row = arguments.row.as_deref().unwrap_or_default();
    let mut text = heading(arguments, rounds);
    for race in races.chain(whole::races(&place)?) {
        if race.is_named(row) {
            text = text + "\n" + &race.run(rounds)?;
        }
    }
    let name = format!("formats-{}", machine::file_system(&arguments.dir));
    Ok(format!(
        "<!-- {name}:begin -->\n{text}\n<!-- {name}:end -->"
    ))
}

fn heading(arguments: &Arguments, rounds: usize) -> String {
    let tools = [
        ("zstd", "--version"),
        ("gzip", "--version"),
        ("pigz", "--version"),
    ];
    let tools = tools
        .iter()
        .filter_map(|(tool, option)| machine::first_line(tool, option));
    format!(
        "## Formats and pipelines on {}\n\n\
         `{}`\n\n\
         {}. {}; {}. Medians of {rounds} interleaved rounds ± half the range of the middle half; \
         GB/s are of decompressed bytes. In memory, input comes in chunks of 256 KiB. Pipelines run on \
         a tokio runtime with 2 workers, programs by `sh`, which is part of the time; nothing is synced.\n",
        machine::file_system(&arguments.dir),
        arguments.command(),
        machine::describe(&arguments.dir),
        machine::versions(&[
            "csv",
            "serde_json",
            "tokio-util",
            "memchr",
            "zstd",
            "flate2"
        ]),
        tools.collect::<Vec<_>>().join(", "),
    )
}

/// Runs what waits for nothing on this thread.
fn block_on<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(future)
}

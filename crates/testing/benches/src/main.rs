//! Measures storage-file, storage-memory, storage-s3 and `omni` against their peers, in one
//! interleaved run.
//!
//! `cargo xtask bench` builds and runs it and puts what it prints into `docs/benchmarks.md`.

mod allocations;
mod arguments;
mod backends;
mod contest;
mod formats;
mod machine;
mod network;
mod peers;
mod report;
mod samples;
mod store;
mod sync;
mod trees;

use std::process::ExitCode;

use crate::arguments::Arguments;

type Result<T = (), E = Box<dyn std::error::Error + Send + Sync>> = std::result::Result<T, E>;

fn main() -> ExitCode {
    let outcome = Arguments::parse(std::env::args().skip(1)).and_then(|arguments| match arguments
        .name
        .as_str()
    {
        "backends" => backends::run(&arguments),
        "formats" => formats::run(&arguments),
        "network" => network::run(&arguments),
        "sink" => network::sink(),
        "sync" => sync::run(&arguments),
        other => Err(format!("no benchmark is named {other:?}").into()),
    });
    match outcome {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

//! `omni`: sync, copy, move, check and inspect files and object stores from the command line.
//!
//! Arguments are paths or URIs. Exit codes: 0 done; 1 a difference was found or something failed;
//! 2 wrong usage; 130 interrupted.

mod args;
mod commands;
mod output;
mod place;
mod progress;
mod time;

use std::process::ExitCode;

use clap::Parser;

use args::Cli;
use output::Output;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = Output::new(&cli.global);
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return output.fail(&error).into(),
    };
    let exit = runtime.block_on(commands::run(cli.command, &output));
    // Blocking reads of standard input cannot be interrupted; do not wait for them.
    runtime.shutdown_background();
    exit.into()
}

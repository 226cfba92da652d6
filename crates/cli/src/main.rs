//! `omni`: sync, copy, move, check and inspect files and object stores from the command line.
//!
//! Arguments are paths or URIs. `exit` has the exit codes.

mod args;
mod commands;
mod exit;
mod filter;
mod hint;
mod layers;
mod log;
mod output;
mod place;
mod progress;
mod recode;
mod remotes;
mod stdio;
mod time;

use std::process::ExitCode;

use output::{Exit, Output};

fn main() -> ExitCode {
    let cli = args::parse();
    if let Some(file) = cli.global.config.clone() {
        remotes::choose(file);
    }
    let output = match Output::new(&cli.global) {
        Ok(output) => output,
        Err(error) => {
            eprintln!("omni: the log file cannot be opened: {error}");
            return Exit::Usage.into();
        }
    };
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

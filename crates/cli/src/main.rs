//! `omni`: sync, copy, move, check and inspect files and object stores from the command line.
//!
//! Arguments are paths or URIs. `exit` has the exit codes.

mod args;
mod commands;
mod escape;
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
mod renaming;
mod sharing;
mod stdio;
mod time;
mod usage;
mod wrapped;

use std::process::ExitCode;

use output::Output;

fn main() -> ExitCode {
    let cli = match args::parse() {
        Ok(cli) => cli,
        Err(error) => return usage::refuse(&error),
    };
    if let Some(file) = cli.global.config.clone() {
        remotes::choose(file);
    }
    let mut output = Output::new(&cli.name, &cli.global);
    if let Some(file) = &cli.global.log_file
        && let Err(error) = output.log_to(file)
    {
        let exit = output.usage(&format!("the log file cannot be opened: {error}"));
        return output.finish(exit).into();
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return output.finish(output.fail(&error)).into(),
    };
    let exit = runtime.block_on(commands::run(cli.command, &output));
    // Blocking reads of standard input cannot be interrupted; do not wait for them.
    runtime.shutdown_background();
    exit.into()
}

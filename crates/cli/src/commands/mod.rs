//! One file for each group of verbs.

mod backends;
mod backup;
mod bisync;
mod cat;
mod cleanup;
mod compare;
mod config;
mod confirm;
mod convert;
mod dedupe;
mod delete;
mod directory;
mod docs;
mod hash;
mod job;
mod list;
mod lists;
mod plan;
mod put;
mod remove;
mod report;
mod size;
mod stat;
mod target;
mod touch;
mod transfer;

use omnistorage::{Error, ErrorKind};

use crate::args::Command;
use crate::output::{Exit, Output};

/// Runs one command to its end, or until a signal.
pub(crate) async fn run(command: Command, output: &Output) -> Exit {
    let exit = match command {
        Command::Sync(args) => transfer::sync(args, output).await,
        Command::Copy(args) => transfer::copy(args, output).await,
        Command::Move(args) => transfer::move_(args, output).await,
        Command::Copyto(args) => transfer::copyto(args, output).await,
        Command::Moveto(args) => transfer::moveto(args, output).await,
        Command::Dedupe(args) => dedupe::run(args, output).await,
        Command::Bisync(args) => bisync::run(args, output).await,
        Command::Plan(args) => plan::plan(*args, output).await,
        Command::Apply(args) => plan::apply(args, output).await,
        Command::Check(args) => compare::check(args, output).await,
        Command::Diff(args) => compare::diff(args, output).await,
        Command::Verify(args) => compare::verify(args, output).await,
        Command::Hash(args) => hash::run(args, output).await,
        Command::Delete(args) => delete::delete(args, output).await,
        other => tokio::select! {
            exit = run_simple(other, output) => exit,
            _ = tokio::signal::ctrl_c() => Exit::Interrupted,
        },
    };
    output.finish(exit)
}

async fn run_simple(command: Command, output: &Output) -> Exit {
    let result = match command {
        Command::Ls(args) => list::ls(args, output).await,
        Command::Size(args) => Ok(size::run(args, output).await),
        Command::Touch(args) => touch::run(args, output).await,
        Command::Rmdirs(args) => delete::rmdirs(args, output).await,
        Command::Tree(args) => list::tree(args, output).await,
        Command::Cat(args) => cat::run(args, output).await,
        Command::Put(args) => {
            let named = args.path.clone();
            let written = put::run(args, output).await;
            written.or_else(|error| Ok(output.fail_at(&named, &error)))
        }
        Command::Convert(args) => convert::run(*args, output).await,
        Command::Stat(args) => stat::run(args, output).await,
        Command::Rm(args) => remove::rm(args, output).await,
        Command::Rmdir(args) => directory::rmdir(args, output).await,
        Command::Purge(args) => remove::purge(args, output).await,
        Command::Cleanup(args) => cleanup::run(args, output).await,
        Command::Mkdir(args) => directory::mkdir(args, output).await,
        Command::Completions(args) => Ok(docs::completions(&args, output)),
        Command::Man(args) => docs::man(&args, output),
        Command::Config(args) => config::run(args, output).await,
        Command::Backends => backends::run(output).await,
        // These run above, where an interrupt ends them with a summary.
        Command::Sync(_)
        | Command::Copy(_)
        | Command::Move(_)
        | Command::Copyto(_)
        | Command::Moveto(_)
        | Command::Bisync(_)
        | Command::Plan(_)
        | Command::Apply(_)
        | Command::Dedupe(_)
        | Command::Check(_)
        | Command::Diff(_)
        | Command::Verify(_)
        | Command::Hash(_)
        | Command::Delete(_) => Err(Error::new(ErrorKind::Other, "not a simple command")),
    };
    match result {
        Ok(exit) => exit,
        Err(error) => output.fail(&error),
    }
}

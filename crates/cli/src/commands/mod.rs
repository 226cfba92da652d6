//! One file for each group of verbs.

mod backends;
mod cat;
mod config;
mod directory;
mod docs;
mod list;
mod put;
mod remove;
mod report;
mod stat;
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
        Command::Check(args) => transfer::check(args, output).await,
        other => tokio::select! {
            exit = run_simple(other, output) => exit,
            _ = tokio::signal::ctrl_c() => Exit::Interrupted,
        },
    };
    output.flush();
    exit
}

async fn run_simple(command: Command, output: &Output) -> Exit {
    let result = match command {
        Command::Ls(args) => list::ls(args, output).await,
        Command::Tree(args) => list::tree(args, output).await,
        Command::Cat(args) => cat::run(args, output).await,
        Command::Put(args) => put::run(args, output).await,
        Command::Stat(args) => stat::run(args, output).await,
        Command::Rm(args) => remove::rm(args, output).await,
        Command::Rmdir(args) => directory::rmdir(args, output).await,
        Command::Purge(args) => remove::purge(args, output).await,
        Command::Mkdir(args) => directory::mkdir(args, output).await,
        Command::Completions(args) => Ok(docs::completions(&args, output)),
        Command::Man(args) => docs::man(&args, output),
        Command::Config(args) => config::run(args, output).await,
        Command::Backends => backends::run(output).await,
        Command::Sync(_) | Command::Copy(_) | Command::Move(_) | Command::Check(_) => {
            Err(Error::new(ErrorKind::Other, "not a simple command"))
        }
    };
    match result {
        Ok(exit) => exit,
        Err(error) => output.fail(&error),
    }
}

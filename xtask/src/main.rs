//! The workspace's own commands: `cargo xtask` lists them.

mod architecture;
mod bench;
mod ci;
mod docs;
mod features;
mod fuzz;
mod layers;
mod metadata;
mod run;
mod sections;
mod servers;
mod test;
mod tools;
mod tree;

use std::process::ExitCode;

/// What every command and check returns; the message is printed as it is.
type Result<T = (), E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

/// One command of `cargo xtask`.
struct Command {
    name: &'static str,
    /// One line for the list of commands.
    summary: &'static str,
    /// Usage and what it does.
    help: &'static str,
    run: fn(&[String]) -> Result,
}

const COMMANDS: &[Command] = &[
    ci::COMMAND,
    test::COMMAND,
    bench::COMMAND,
    fuzz::COMMAND,
    servers::COMMAND,
    features::COMMAND,
    architecture::COMMAND,
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> Result {
    let (name, rest) = match arguments.split_first() {
        None => return Err(list().into()),
        Some((name, _)) if name == "help" || is_help(name) => {
            println!("{}", list());
            return Ok(());
        }
        Some(split) => split,
    };
    let command = COMMANDS
        .iter()
        .find(|command| command.name == name)
        .ok_or_else(|| format!("no command is named {name:?}\n{}", list()))?;
    if rest.iter().any(|argument| is_help(argument)) {
        println!("{}", command.help);
        return Ok(());
    }
    (command.run)(rest)
}

fn is_help(argument: &str) -> bool {
    matches!(argument, "--help" | "-h")
}

fn list() -> String {
    let mut text = String::from("usage: cargo xtask COMMAND [--help]\n\ncommands:");
    for Command { name, summary, .. } in COMMANDS {
        text += &format!("\n  {name:<14}{summary}");
    }
    text
}

/// Refuses every argument, for commands that take none.
fn refuse_arguments(arguments: &[String]) -> Result {
    match arguments.first() {
        Some(argument) => Err(format!("unknown argument {argument:?}; see --help").into()),
        None => Ok(()),
    }
}

//! What is said about arguments that cannot be understood.

use std::env;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::builder::{BoolishValueParser, TypedValueParser};
use clap::error::{ContextKind, ContextValue};
use serde_json::json;

use crate::args::{self, environment::variable};
use crate::exit::Exit;
use crate::output::say;

/// Says what is wrong, or prints the help that was asked for. Gives the exit code.
pub(crate) fn refuse(error: &clap::Error) -> ExitCode {
    let exit = if error.use_stderr() {
        Exit::Usage
    } else {
        Exit::Done
    };
    let printed = if exit == Exit::Usage && wants_json() {
        print_json(error)
    } else {
        let printed = error.print();
        let is_unseen = exit == Exit::Usage;
        let notes = origins(&error.render().to_string()).into_iter();
        for note in notes.chain(for_apply(error)) {
            say(&format!("note: {note}"));
        }
        printed.or_else(|error| if is_unseen { Ok(()) } else { Err(error) })
    };
    match printed.and_then(|()| io::stdout().flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            say(&format!("omni: standard output: {error}"));
            Exit::Failed.into()
        }
        _ => exit.into(),
    }
}

/// The error and the summary that every command ends with.
fn print_json(error: &clap::Error) -> io::Result<()> {
    let text = error.render().to_string();
    let first = text.split("\n\n").next().unwrap_or(&text);
    let lines = first.trim_start_matches("error: ").lines().map(str::trim);
    let mut message = lines.collect::<Vec<_>>().join(" ");
    for note in origins(&text).into_iter().chain(for_apply(error)) {
        message.push_str("; ");
        message.push_str(&note);
    }
    let error = json!({"event": "error", "message": message});
    let summary = json!({
        "event": "summary", "command": verb(), "created": 0, "updated": 0, "deleted": 0,
        "renamed": 0, "skipped": 0, "errors": 1, "bytes": 0, "seconds": 0.0,
    });
    writeln!(io::stdout(), "{error}\n{summary}")
}

/// Says of each flag in the text that a variable sets which one it is.
fn origins(text: &str) -> Vec<String> {
    let mut notes = Vec::new();
    for part in text.split("'--").skip(1) {
        let end = part.find(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        let flag = &part[..end.unwrap_or(part.len())];
        let note = format!("{} sets --{flag}", variable(flag));
        if env::var_os(variable(flag)).is_some() && !is_given(flag) && !notes.contains(&note) {
            notes.push(note);
        }
    }
    notes
}

/// Says of a flag that `plan` does not take that it is for `apply`.
fn for_apply(error: &clap::Error) -> Option<String> {
    let Some(ContextValue::String(unknown)) = error.get(ContextKind::InvalidArg) else {
        return None;
    };
    let flag = unknown.strip_prefix("--").unwrap_or(unknown);
    let command = args::command();
    let apply = command.find_subcommand("apply")?;
    let is_known = |arg: &clap::Arg| arg.get_long() == Some(flag);
    let is_meant = verb() == "plan" && apply.get_arguments().any(is_known);
    is_meant.then(|| format!("`omni apply` takes --{flag}"))
}

/// Whether the command line has a flag.
fn is_given(flag: &str) -> bool {
    arguments().any(|arg| {
        let rest = arg
            .strip_prefix("--")
            .and_then(|arg| arg.strip_prefix(flag));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
    })
}

/// The command that was meant, as far as it can be told.
fn verb() -> String {
    let command = args::command();
    let found =
        arguments().find_map(|arg| Some(command.find_subcommand(arg)?.get_name().to_owned()));
    found.unwrap_or_else(|| "omni".to_owned())
}

fn wants_json() -> bool {
    let set = env::var_os(variable("json")).is_some_and(|value| {
        let parsed = BoolishValueParser::new().parse_ref(&args::command(), None, &value);
        parsed.unwrap_or(false)
    });
    set || is_given("json")
}

/// The arguments up to `--`.
fn arguments() -> impl Iterator<Item = String> {
    env::args_os()
        .skip(1)
        .map(|arg| arg.to_string_lossy().into_owned())
        .take_while(|arg| arg != "--")
}

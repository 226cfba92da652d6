//! Environment variables for all flags.

use clap::builder::BoolishValueParser;
use clap::{ArgAction, Command};

/// Gives every flag a variable: `OMNI_` and its long name in capitals, `OMNI_DRY_RUN` for
/// `--dry-run`. What the command line says goes before.
pub(super) fn with_variables(command: Command) -> Command {
    let command = command.mut_args(|arg| {
        let Some(long) = arg.get_long() else {
            return arg;
        };
        let name = variable(long);
        let arg = match arg.get_action() {
            ArgAction::Help | ArgAction::HelpShort | ArgAction::HelpLong | ArgAction::Version => {
                return arg;
            }
            ArgAction::SetTrue | ArgAction::SetFalse => arg.value_parser(BoolishValueParser::new()),
            _ => arg,
        };
        arg.env(name).hide_env(true)
    });
    command.mut_subcommands(with_variables)
}

/// The variable of a flag's long name.
pub(crate) fn variable(long: &str) -> String {
    format!("OMNI_{}", long.replace('-', "_").to_uppercase())
}

use std::io::Write;
use std::path::Path;

use omnistorage::{Error, ErrorKind, Result};

use crate::args::{self, CompletionsArgs, ManArgs};
use crate::output::{Exit, Output};

/// Prints a script that completes arguments in a shell.
pub(crate) fn completions(args: &CompletionsArgs, output: &Output) -> Exit {
    if output.is_json() {
        return output.usage("completions prints a script: --json is not for it");
    }
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut args::command(), "omni", &mut script);
    output.raw(&script);
    Exit::Done
}

/// Prints a manual page, or writes all.
pub(crate) fn man(args: &ManArgs, output: &Output) -> Result<Exit> {
    if output.is_json() && args.dir.is_none() {
        return Ok(output.usage("man prints a page: --json is not for it"));
    }
    let mut command = args::command();
    command.build();
    match (&args.dir, &args.verb) {
        (Some(dir), _) => {
            std::fs::create_dir_all(dir)?;
            write_pages(&command, dir)?;
        }
        (None, None) => output.raw(&page(&command)?),
        (None, Some(verb)) => {
            let found = command.find_subcommand(verb).ok_or_else(|| {
                let message = format!("there is no command {verb:?}; `omni --help` lists them");
                Error::new(ErrorKind::Config, message)
            })?;
            output.raw(&page(found)?);
        }
    }
    Ok(Exit::Done)
}

fn page(command: &clap::Command) -> Result<Vec<u8>> {
    let name = command.get_display_name().unwrap_or(command.get_name());
    let named = command.clone().name(name.to_owned());
    let mut page = Vec::new();
    clap_mangen::Man::new(named)
        .source(concat!("omni ", env!("CARGO_PKG_VERSION")))
        .render(&mut page)?;
    Ok(page)
}

fn write_pages(command: &clap::Command, dir: &Path) -> Result<()> {
    let name = command.get_display_name().unwrap_or(command.get_name());
    let mut file = std::fs::File::create(dir.join(format!("{name}.1")))?;
    file.write_all(&page(command)?)?;
    for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set()) {
        write_pages(verb, dir)?;
    }
    Ok(())
}

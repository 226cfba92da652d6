//! The command line, a file a verb or group of flags. Flags are spelled as rclone spells them where
//! rclone has the same thing.

mod backup;
mod bandwidth;
mod bisync;
mod cat;
mod check;
mod cleanup;
mod compare;
mod config;
mod convert;
mod dedupe;
mod delete;
mod deletion;
mod docs;
pub(crate) mod environment;
mod files;
mod filter;
mod global;
mod hash;
mod layers;
mod limits;
mod ls;
mod move_;
mod paths;
mod plan;
mod purge;
mod put;
mod recode;
mod report;
mod size;
mod sync;
mod touch;
mod transfer;
mod tree;
mod value;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

pub(crate) use bisync::{BisyncArgs, LoserArg, ResolveArg};
pub(crate) use cat::CatArgs;
pub(crate) use check::{CheckArgs, DiffArgs, VerifyArgs};
pub(crate) use cleanup::CleanupArgs;
pub(crate) use compare::CompareArgs;
pub(crate) use config::{ConfigAction, ConfigArgs};
pub(crate) use convert::{ConvertArgs, CsvArgs, LengthPrefixedArgs, PrefixArg};
pub(crate) use dedupe::DedupeArgs;
pub(crate) use delete::{DeleteArgs, RmdirsArgs};
pub(crate) use docs::{CompletionsArgs, ManArgs};
pub(crate) use files::FilesArgs;
pub(crate) use filter::FilterArgs;
pub(crate) use global::GlobalArgs;
pub(crate) use hash::HashArgs;
pub(crate) use layers::{CompressArg, LayersArg};
pub(crate) use limits::is_remote;
pub(crate) use ls::LsArgs;
pub(crate) use move_::MoveArgs;
pub(crate) use paths::PathsArgs;
pub(crate) use plan::{ApplyArgs, PlanArgs, PlannedVerb};
pub(crate) use purge::PurgeArgs;
pub(crate) use put::PutArgs;
pub(crate) use recode::RecodeArgs;
pub(crate) use report::ReportArgs;
pub(crate) use size::SizeArgs;
pub(crate) use sync::SyncArgs;
pub(crate) use touch::TouchArgs;
pub(crate) use transfer::{ChoiceArgs, FsyncArg, TransferArgs, VerifyArg};
pub(crate) use tree::TreeArgs;

/// Sync, copy, move, check and inspect files and object stores.
///
/// Arguments are paths, URIs such as file:///data, or remote:path with a remote of `omni config`.
/// Every flag can also be set by a variable: OMNI_DRY_RUN=1 stands for --dry-run.
#[derive(Debug, Parser)]
#[command(
    name = "omni",
    version,
    max_term_width = 100,
    arg_required_else_help = true,
    // The last one counts, so that a script or alias can be overruled.
    args_override_self = true,
    after_help = crate::exit::TABLE
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    /// The command as it is called.
    #[arg(skip)]
    pub(crate) name: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make DST equal SRC: copy what is new or different, delete what SRC does not have
    Sync(SyncArgs),
    /// Copy what is new or different from SRC to DST; delete nothing
    Copy(TransferArgs),
    /// Copy to DST, deleting each file from SRC once it is verified and durable at DST
    Move(MoveArgs),
    /// Copy a file to another name; a directory as `copy` does
    Copyto(TransferArgs),
    /// Move a file to another name; a directory as `move` does
    Moveto(MoveArgs),
    /// Bring what changed on either of two sides to the other, remembering what both had
    Bisync(BisyncArgs),
    /// Write what `sync`, `copy` or `move` would do to a file, to look at and apply later
    Plan(Box<PlanArgs>),
    /// Do what a plan says, to each file that still is as it was then
    Apply(ApplyArgs),
    /// Find files of the same content, and delete all but one of them on request
    Dedupe(DedupeArgs),
    /// Compare the contents of SRC and DST and report each difference; change nothing
    Check(CheckArgs),
    /// Compare SRC and DST as `sync` does and report each difference; change nothing
    Diff(DiffArgs),
    /// Compare files with a checksum file
    Verify(VerifyArgs),
    /// Print the digest of each file
    #[command(visible_alias = "hashsum")]
    Hash(HashArgs),
    /// List a directory or prefix
    Ls(LsArgs),
    /// Count the files below a directory or prefix and their bytes
    Size(SizeArgs),
    /// Draw a directory or prefix as a tree
    Tree(TreeArgs),
    /// Write objects to standard output, decompressed
    Cat(CatArgs),
    /// Write standard input to an object, visible when complete
    Put(PutArgs),
    /// Convert an object between NDJSON, CSV, length-prefixed records and compressions
    ///
    /// Formats and compressions follow from extensions, as in events.csv.gz; first bytes tell the
    /// compression of SRC too. Where both have the same format, or neither tells one, the bytes stay as
    /// they are but for the compression. DST is visible when complete; a failure leaves it as it was.
    Convert(Box<ConvertArgs>),
    /// Show all that is known of objects and directories
    Stat(PathsArgs),
    /// Set the modified time of objects, creating those that are not there
    Touch(TouchArgs),
    /// Delete objects, each named
    Rm(PathsArgs),
    /// Delete the files below a directory or prefix
    Delete(DeleteArgs),
    /// Create directories, with their parents
    Mkdir(PathsArgs),
    /// Remove empty directories
    Rmdir(PathsArgs),
    /// Remove all empty directories below a directory
    Rmdirs(RmdirsArgs),
    /// Delete a directory or prefix and everything below it
    Purge(PurgeArgs),
    /// Abort unfinished uploads that killed processes left on an object store
    Cleanup(CleanupArgs),
    /// Look at and change the named remotes
    Config(ConfigArgs),
    /// List the backends that are compiled in, with their features
    Backends,
    /// Print a script for the shell that completes arguments
    Completions(CompletionsArgs),
    /// Print a manual page
    Man(ManArgs),
}

/// The whole command line, with a variable for each flag.
pub(crate) fn command() -> clap::Command {
    environment::with_variables(Cli::command())
}

/// Takes the arguments of this process.
///
/// # Errors
/// For wrong ones, and for `--help` and `--version` with what they say.
pub(crate) fn parse() -> Result<Cli, clap::Error> {
    let matches = command().try_get_matches()?;
    let mut cli = Cli::from_arg_matches(&matches)?;
    cli.name = matches.subcommand_name().unwrap_or_default().to_owned();
    Ok(cli)
}

#[cfg(test)]
mod tests {
    /// Calls `judge` with every command and the words that call it.
    fn each(command: &clap::Command, words: &str, judge: &mut impl FnMut(&clap::Command, &str)) {
        judge(command, words);
        for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set()) {
            each(verb, &format!("{words} {}", verb.get_name()), judge);
        }
    }

    #[test]
    fn every_verb_and_flag_is_explained_in_one_style() {
        let reads_well = |text: &str| {
            let first = text.lines().next().unwrap_or("");
            let starts = first.starts_with(|c: char| c.is_uppercase() || !c.is_alphabetic());
            let named = ["md5", "omni"].iter().any(|word| first.starts_with(word));
            (starts || named) && !first.ends_with('.')
        };
        each(&super::command(), "omni", &mut |command, words| {
            let about = command
                .get_about()
                .map(ToString::to_string)
                .unwrap_or_default();
            assert!(
                !about.is_empty() && reads_well(&about),
                "{words}: {about:?}"
            );
            for arg in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
                let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
                let name = arg.get_id();
                assert!(
                    !help.is_empty() && reads_well(&help),
                    "{words} {name}: {help:?}"
                );
            }
        });
    }

    #[test]
    fn help_fits_a_terminal_of_100_columns() {
        each(&super::command(), "omni", &mut |command, words| {
            let help = command.clone().term_width(100).render_help().to_string();
            for line in help.lines() {
                assert!(line.chars().count() <= 100, "{words}: {line}");
            }
        });
    }

    #[test]
    fn the_definition_is_consistent() {
        super::command().debug_assert();
    }
}

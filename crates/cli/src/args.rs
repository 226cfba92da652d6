//! The command line. Flags are spelled as rclone spells them where rclone has the same thing.

use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Sync, copy, move, check and inspect files and object stores.
///
/// Arguments are paths or URIs such as file:///data. Exit codes: 0 done, 1 a difference was found or
/// something failed, 2 wrong usage, 130 interrupted.
#[derive(Debug, Parser)]
#[command(
    name = "omni",
    version,
    max_term_width = 100,
    arg_required_else_help = true
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct GlobalArgs {
    /// Print one JSON object a line; the last one is a summary
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Say what is done to each file; twice: also what is left alone
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Print errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Show progress even if standard error is not a terminal
    #[arg(short = 'P', long, global = true, conflicts_with = "quiet")]
    pub(crate) progress: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make DST equal SRC: copy what is new or different, delete what SRC does not have
    Sync(SyncArgs),
    /// Copy what is new or different from SRC to DST; delete nothing
    Copy(TransferArgs),
    /// Copy to DST, deleting each file from SRC once it is verified and durable at DST
    Move(MoveArgs),
    /// Compare SRC and DST and report each difference; change nothing
    Check(CheckArgs),
    /// List a directory or prefix
    Ls(LsArgs),
    /// Draw a directory or prefix as a tree
    Tree(TreeArgs),
    /// Write objects to standard output
    Cat(CatArgs),
    /// Write standard input to an object, visible when complete
    Put(PutArgs),
    /// Show all that is known of objects and directories
    Stat(PathsArgs),
    /// Delete objects
    Rm(PathsArgs),
    /// Create directories, with their parents
    Mkdir(PathsArgs),
    /// Remove empty directories
    Rmdir(PathsArgs),
    /// Delete a directory or prefix and everything below it
    Purge(PurgeArgs),
    /// List the backends that are compiled in, with their features
    Backends,
}

/// What all commands that compare two trees take.
#[derive(Debug, Clone, Args)]
pub(crate) struct CompareArgs {
    /// Source: a path or URI
    #[arg(value_name = "SRC")]
    pub(crate) source: String,
    /// Destination: a path or URI
    #[arg(value_name = "DST")]
    pub(crate) destination: String,
    /// Compare by size alone
    #[arg(long, conflicts_with = "checksum")]
    pub(crate) size_only: bool,
    /// Compare by size and hash, reading files that have no stored hash
    #[arg(short, long)]
    pub(crate) checksum: bool,
    /// Take modified times that differ by at most this as equal [default: what both sides can hold]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) modify_window: Option<Duration>,
    /// Files compared at the same time
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) checkers: u16,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct TransferArgs {
    #[command(flatten)]
    pub(crate) compare: CompareArgs,
    /// Print what would be done, and do nothing
    #[arg(short = 'n', long)]
    pub(crate) dry_run: bool,
    /// Transfer everything, whatever the comparison says
    #[arg(short = 'I', long, conflicts_with_all = ["size_only", "checksum"])]
    pub(crate) ignore_times: bool,
    /// Leave files alone that are newer at the destination
    #[arg(short, long)]
    pub(crate) update: bool,
    /// Leave files alone that exist at the destination
    #[arg(long)]
    pub(crate) ignore_existing: bool,
    /// Create nothing new at the destination, only update
    #[arg(long, conflicts_with = "ignore_existing")]
    pub(crate) existing: bool,
    /// Treat a file that differs at the destination as an error
    #[arg(long)]
    pub(crate) immutable: bool,
    /// Files transferred at the same time
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) transfers: u16,
    /// How to verify each transfer
    #[arg(long, value_enum, default_value_t = VerifyArg::Hash)]
    pub(crate) verify: VerifyArg,
    /// When what was written is made durable
    #[arg(long, value_enum, default_value_t = FsyncArg::End)]
    pub(crate) fsync: FsyncArg,
    /// Create empty directories of the source at the destination
    #[arg(long)]
    pub(crate) create_empty_src_dirs: bool,
    /// Tries for each file before it counts as failed
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) retries: u32,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct SyncArgs {
    #[command(flatten)]
    pub(crate) transfer: TransferArgs,
    /// Fail without deleting anything if more files than this would be deleted
    #[arg(long, value_name = "N")]
    pub(crate) max_delete: Option<u64>,
    /// Delete even if something failed before
    #[arg(long)]
    pub(crate) ignore_errors: bool,
    /// Delete even if the source has no files at all
    #[arg(long)]
    pub(crate) allow_empty_source: bool,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct MoveArgs {
    #[command(flatten)]
    pub(crate) transfer: TransferArgs,
    /// Remove directories of the source that are empty afterwards
    #[arg(long)]
    pub(crate) delete_empty_src_dirs: bool,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) compare: CompareArgs,
    /// Compare the contents byte by byte
    #[arg(long, conflicts_with_all = ["size_only", "checksum"])]
    pub(crate) download: bool,
    /// Ignore files that only the destination has
    #[arg(long)]
    pub(crate) one_way: bool,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct LsArgs {
    /// A path or URI
    #[arg(default_value = ".")]
    pub(crate) path: String,
    /// List everything below
    #[arg(short = 'R', long)]
    pub(crate) recursive: bool,
    /// Show size in bytes and modified time
    #[arg(short, long)]
    pub(crate) long: bool,
    /// List files only
    #[arg(long)]
    pub(crate) files_only: bool,
    /// List only names that match, such as '*.csv'
    #[arg(long, value_name = "PATTERN")]
    pub(crate) glob: Option<String>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct TreeArgs {
    /// A path or URI
    #[arg(default_value = ".")]
    pub(crate) path: String,
    /// Levels to show
    #[arg(long, value_name = "N")]
    pub(crate) max_depth: Option<usize>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct CatArgs {
    /// Paths or URIs
    #[arg(required = true)]
    pub(crate) paths: Vec<String>,
    /// Start at this byte
    #[arg(long, value_name = "N")]
    pub(crate) offset: Option<u64>,
    /// Print at most this many bytes
    #[arg(long, value_name = "N")]
    pub(crate) count: Option<u64>,
    /// Print the last bytes only
    #[arg(long, value_name = "N")]
    pub(crate) tail: Option<u64>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct PutArgs {
    /// A path or URI
    pub(crate) path: String,
    /// Fail if the object exists
    #[arg(long, conflicts_with = "append")]
    pub(crate) immutable: bool,
    /// Add to the end of the object
    #[arg(long)]
    pub(crate) append: bool,
    /// Media type to store with the object
    #[arg(long, value_name = "TYPE")]
    pub(crate) content_type: Option<String>,
    /// Fail unless the input has exactly this many bytes
    #[arg(long, value_name = "N")]
    pub(crate) size: Option<u64>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct PathsArgs {
    /// Paths or URIs
    #[arg(required = true)]
    pub(crate) paths: Vec<String>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct PurgeArgs {
    /// A path or URI
    pub(crate) path: String,
    /// Print what would be deleted, and do nothing
    #[arg(short = 'n', long)]
    pub(crate) dry_run: bool,
}

/// How a transfer is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum VerifyArg {
    /// The number of bytes
    Size,
    /// A hash of what was read against one of what the destination received
    Hash,
    /// The same, and the destination is read back
    ReadBack,
}

/// When writes are made durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FsyncArg {
    /// Never asked for
    None,
    /// Once, before the command says it is done
    End,
    /// With every file
    Each,
}

fn duration(text: &str) -> Result<Duration, String> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let number: f64 = text[..digits]
        .parse()
        .map_err(|_| "a number with a unit is needed")?;
    let unit = match &text[digits..] {
        "ns" => 1e-9,
        "us" | "µs" => 1e-6,
        "ms" => 1e-3,
        "s" | "" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        _ => return Err("the unit must be one of ns, us, ms, s, m, h, d".to_owned()),
    };
    Duration::try_from_secs_f64(number * unit).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_consistent() {
        super::Cli::command().debug_assert();
    }
}

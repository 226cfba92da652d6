use clap::Args;
use omnistorage::HashType;

use super::value::hash_type;
use super::{CompareArgs, FilterArgs, ReportArgs};

#[derive(Debug, Clone, Args)]
pub(crate) struct CheckArgs {
    /// Compare the contents byte by byte
    #[arg(long, conflicts_with_all = ["size_only", "checksum"])]
    pub(crate) download: bool,
    /// Ignore files that only the destination has
    #[arg(long)]
    pub(crate) one_way: bool,
    /// Take SRC for a checksum file with digests of this type
    #[arg(short = 'C', long, value_name = "HASH", value_parser = hash_type, conflicts_with_all = ["size_only", "checksum", "modify_window"])]
    pub(crate) checkfile: Option<HashType>,
    #[command(flatten)]
    pub(crate) compare: CompareArgs,
    #[command(flatten)]
    pub(crate) reports: ReportArgs,
}

/// Differences are those that `sync` would see: size and modified time, and the content where only
/// the time differs. `check` compares the contents.
#[derive(Debug, Clone, Args)]
pub(crate) struct DiffArgs {
    /// Ignore files that only the destination has
    #[arg(long)]
    pub(crate) one_way: bool,
    #[command(flatten)]
    pub(crate) compare: CompareArgs,
    #[command(flatten)]
    pub(crate) reports: ReportArgs,
}

/// The file is one that md5sum, sha256sum, b3sum or `omni hash` wrote, with or without --tag; its
/// names are relative to PATH.
#[derive(Debug, Clone, Args)]
pub(crate) struct VerifyArgs {
    /// The checksum file: a path or URI, or - for standard input
    #[arg(value_name = "SUMS")]
    pub(crate) sums: String,
    /// The files: a path or URI
    pub(crate) path: String,
    /// What the digests are [default: told from a tag, the file's name or their length]
    #[arg(long = "type", value_name = "HASH", value_parser = hash_type)]
    pub(crate) hash: Option<HashType>,
    /// Read every file, also where the store keeps its digest
    #[arg(long)]
    pub(crate) download: bool,
    /// Ignore files that the checksum file does not name
    #[arg(long)]
    pub(crate) one_way: bool,
    /// Files compared at the same time
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) checkers: u16,
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    #[command(flatten)]
    pub(crate) reports: ReportArgs,
}

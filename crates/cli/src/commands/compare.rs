//! Verbs that compare: `check`, `diff`, `verify`.

use omnistorage::sync::{Command, Job, Options, Sums, SyncError, Tree};
use omnistorage::{BackendExt, Error, ErrorKind, HashType, Operation, Result};
use tokio::io::AsyncReadExt;

use super::job::{self, destination, source};
use super::lists::Lists;
use super::report::Report;
use super::transfer::compare_options;
use crate::args::{CheckArgs, CompareArgs, DiffArgs, FilterArgs, ReportArgs, VerifyArgs};
use crate::filter;
use crate::output::{Exit, Output};
use crate::place::{self, Missing};
use crate::recode;

pub(crate) async fn check(args: CheckArgs, output: &Output) -> Exit {
    let options = compare_options(&args.compare)
        .download(args.download)
        .one_way(args.one_way);
    let (from, to) = (&args.compare.source, &args.compare.destination);
    let job = async {
        match args.checkfile {
            Some(hash) => {
                recode::refuse(&args.compare.recode)?;
                verification(from, Some(hash), to, &args.compare.filter, options).await
            }
            None => comparison(Command::Check, &args.compare, options).await,
        }
    };
    report(Command::Check, "check", job, &args.reports, output).await
}

pub(crate) async fn diff(args: DiffArgs, output: &Output) -> Exit {
    let options = compare_options(&args.compare).one_way(args.one_way);
    let job = comparison(Command::Diff, &args.compare, options);
    report(Command::Diff, "diff", job, &args.reports, output).await
}

pub(crate) async fn verify(args: VerifyArgs, output: &Output) -> Exit {
    let options = Options::default()
        .checkers(usize::from(args.checkers))
        .download(args.download)
        .one_way(args.one_way);
    let job = verification(&args.sums, args.hash, &args.path, &args.filter, options);
    report(Command::Check, "verify", job, &args.reports, output).await
}

async fn comparison(
    command: Command,
    args: &CompareArgs,
    mut options: Options,
) -> Result<Job, SyncError> {
    options.filter = filter::load(&args.filter).await?;
    let source = recode::apply(&args.recode, source(&args.source).await?)?;
    let destination = destination(&args.destination, Missing::Fail).await?;
    Job::new(command, source, destination, options)
}

/// Runs a comparison. The lists are created first, so that a path that cannot be written is known
/// before an hour of reading.
async fn report(
    command: Command,
    name: &'static str,
    job: impl Future<Output = Result<Job, SyncError>>,
    args: &ReportArgs,
    output: &Output,
) -> Exit {
    let lists = match Lists::open(args) {
        Ok(lists) => lists,
        Err(error) => {
            output.fail(&error);
            return Exit::Usage;
        }
    };
    let mut report = Report::new(command, false, output)
        .named(name)
        .with_lists(lists);
    let summary = job::run(job.await, &mut report, output).await;
    summary.map_or_else(|exit| exit, |summary| Exit::of_summary(&summary))
}

async fn verification(
    sums: &str,
    hash: Option<HashType>,
    tree: &str,
    filter: &FilterArgs,
    mut options: Options,
) -> Result<Job, SyncError> {
    options.filter = filter::load(filter).await?;
    let text = read(sums).await?;
    let sums = Sums::parse(&text, hash.or_else(|| told_by_name(sums)))
        .map_err(|error| error.with_path(place::shown(sums)))?;
    // The tree has to be there: of a missing one every file would be missing.
    let place = place::tree(tree, Missing::Fail).await?;
    let tree = Tree::new(place.backend, place.path);
    Job::verify(sums, tree, options)
}

/// SHA-256 and BLAKE3 have digests of one length: the name of the file tells which.
fn told_by_name(file: &str) -> Option<HashType> {
    let name = file.rsplit('/').next()?.to_ascii_lowercase();
    let is_blake3 = name.contains("b3") || name.contains("blake3");
    is_blake3.then_some(HashType::Blake3)
}

async fn read(sums: &str) -> Result<String> {
    let bytes = if sums == "-" {
        let mut bytes = Vec::new();
        let read = tokio::io::stdin().read_to_end(&mut bytes).await;
        read.map_err(|error| Error::from(error).on(Operation::Read, "stdin"))?;
        bytes
    } else {
        let place = place::entry(sums, Missing::Fail).await?;
        place.backend.get(&place.path).await?.to_vec()
    };
    String::from_utf8(bytes).map_err(|error| {
        let line = 1 + error.as_bytes()[..error.utf8_error().valid_up_to()]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count();
        let message = format!("line {line} is not UTF-8");
        Error::new(ErrorKind::Corrupt, message).with_path(place::shown(sums))
    })
}

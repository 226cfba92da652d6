//! Verbs that transfer trees: `sync`, `copy`, `move`.

use omnistorage::sync::{Command, Comparison, Job, Options, Symlinks, SyncError, Tree};
use omnistorage::{Backend, BackendExt, Location, Result};

use super::job::{self, destination, source};
use super::lists::Lists;
use super::report::Report;
use super::{backup, confirm};
use crate::args::{ChoiceArgs, CompareArgs, MoveArgs, SyncArgs, TransferArgs, is_remote};
use crate::filter;
use crate::output::{Exit, Output};
use crate::place::{self, Missing};
use crate::recode;

/// Files transferred at the same time where a store is reached over a network.
const REMOTE_TRANSFERS: usize = 32;

pub(crate) async fn sync(args: SyncArgs, output: &Output) -> Exit {
    note_deferred(&args, output);
    let options = sync_options(&args);
    transfer(Command::Sync, &args.transfer, options, output).await
}

fn note_deferred(args: &SyncArgs, output: &Output) {
    if args.deletion.are_deferred() {
        output.note(|| "--delete-during: with --track-renames, deletions come after".to_owned());
    }
}

fn sync_options(args: &SyncArgs) -> Options {
    let options = transfer_options(&args.transfer).delete_excluded(args.delete_excluded);
    args.deletion.apply(options)
}

pub(crate) async fn copy(args: TransferArgs, output: &Output) -> Exit {
    transfer(Command::Copy, &args, transfer_options(&args), output).await
}

pub(crate) async fn move_(args: MoveArgs, output: &Output) -> Exit {
    let options =
        transfer_options(&args.transfer).delete_empty_source_dirs(args.delete_empty_src_dirs);
    transfer(Command::Move, &args.transfer, options, output).await
}

pub(crate) async fn copyto(args: TransferArgs, output: &Output) -> Exit {
    let options = transfer_options(&args);
    transfer_to(Command::Copy, &args, options, output).await
}

pub(crate) async fn moveto(args: MoveArgs, output: &Output) -> Exit {
    let options = transfer_options(&args.transfer);
    let options = options.delete_empty_source_dirs(args.delete_empty_src_dirs);
    transfer_to(Command::Move, &args.transfer, options, output).await
}

async fn transfer(
    command: Command,
    args: &TransferArgs,
    options: Options,
    output: &Output,
) -> Exit {
    let mut options = options.report_unchanged(output.verbosity() > 1 || args.reports.is_any());
    let job = async {
        options.filter = filter::load(&args.choice.compare.filter).await?;
        options.compare_dest = others(&args.choice.compare_dest).await?;
        options.copy_dest = others(&args.copy_dest).await?;
        trees(command, args, options).await
    };
    run(command, args, job, output).await
}

/// Like `transfer`, but that a single object gets the name that the destination ends with.
async fn transfer_to(
    command: Command,
    args: &TransferArgs,
    options: Options,
    output: &Output,
) -> Exit {
    let mut options = options.report_unchanged(output.verbosity() > 1 || args.reports.is_any());
    let from = &args.choice.compare.source;
    let job = async {
        options.filter = filter::load(&args.choice.compare.filter).await?;
        options.compare_dest = others(&args.choice.compare_dest).await?;
        options.copy_dest = others(&args.copy_dest).await?;
        let Some(object) = object(from).await? else {
            return trees(command, args, options).await;
        };
        recode::refuse(&args.choice.compare.recode)?;
        if is_to_be_tried(args) {
            object_job(command, args, &object, options.clone(), Missing::Fail).await?;
        }
        object_job(command, args, &object, options, missing(args)).await
    };
    run(command, args, job, output).await
}

/// A job on one object and another name for it.
async fn object_job(
    command: Command,
    args: &TransferArgs,
    object: &Location,
    mut options: Options,
    missing: Missing,
) -> Result<Job, SyncError> {
    if let Some(kept) = &args.backup.backup_dir {
        options.backup_dir = Some(destination(kept, missing).await?);
    }
    let to = &args.choice.compare.destination;
    let to = match missing {
        Missing::Create => place::entry(to, Missing::Create).await?,
        Missing::Fail => place::entry_to_be(to).await?,
    };
    let to = Location::new(to.backend, to.path);
    let options = between(args, options, &**object.backend(), &**to.backend())?;
    match command {
        Command::Move => Job::move_file(object, &to, options),
        _ => Job::copy_file(object, &to, options),
    }
}

/// Trees beside the destination, which need not exist.
pub(super) async fn others(texts: &[String]) -> Result<Vec<Tree>, SyncError> {
    let mut trees = Vec::with_capacity(texts.len());
    for text in texts {
        trees.push(destination(text, Missing::Fail).await?);
    }
    Ok(trees)
}

/// A job on the trees that the arguments name.
async fn trees(command: Command, args: &TransferArgs, options: Options) -> Result<Job, SyncError> {
    let source = recode::apply(
        &args.choice.compare.recode,
        source(&args.choice.compare.source).await?,
    )?;
    if is_to_be_tried(args) {
        let (source, options) = (source.clone(), options.clone());
        tree_job(command, args, source, options, Missing::Fail).await?;
    }
    tree_job(command, args, source, options, missing(args)).await
}

async fn tree_job(
    command: Command,
    args: &TransferArgs,
    source: Tree,
    mut options: Options,
    missing: Missing,
) -> Result<Job, SyncError> {
    let to = &args.choice.compare.destination;
    let mut destination = destination(to, missing).await?;
    if let Some(kept) = &args.backup.backup_dir {
        let trees = backup::open(destination, to, kept, missing).await?;
        destination = trees.0;
        options.backup_dir = Some(trees.1);
    }
    let (from, to) = (source.backend(), destination.backend());
    let options = between(args, options, &**from, &**to)?;
    Job::new(command, source, destination, options)
}

/// What depends on where the stores are.
fn between(
    args: &TransferArgs,
    options: Options,
    from: &dyn Backend,
    to: &dyn Backend,
) -> Result<Options, SyncError> {
    // Small objects over a network are waited for most of the time.
    let transfers = args.transfers.map_or_else(
        || match is_remote(from) || is_remote(to) {
            true => REMOTE_TRANSFERS,
            false => options.transfers,
        },
        usize::from,
    );
    args.limits.between(options.transfers(transfers), from, to)
}

/// Whether the job is made once without creating anything, so that one that is refused leaves
/// nothing behind. Nothing is created but local directories.
fn is_to_be_tried(args: &TransferArgs) -> bool {
    let places = [
        Some(&args.choice.compare.destination),
        args.backup.backup_dir.as_ref(),
    ];
    let all_local = places
        .into_iter()
        .flatten()
        .all(|place| place::is_local(place));
    missing(args) == Missing::Create && all_local
}

/// The single object that an argument names, if it names one.
async fn object(text: &str) -> Result<Option<Location>> {
    let Ok(place) = place::entry(text, Missing::Fail).await else {
        return Ok(None);
    };
    let found = place.backend.try_stat(&place.path).await?;
    let is_object = found.is_some_and(|info| !info.is_dir);
    Ok(is_object.then(|| Location::new(place.backend, place.path)))
}

/// A dry run creates nothing.
const fn missing(args: &TransferArgs) -> Missing {
    if args.dry_run {
        Missing::Fail
    } else {
        Missing::Create
    }
}

async fn run(
    command: Command,
    args: &TransferArgs,
    job: impl Future<Output = Result<Job, SyncError>>,
    output: &Output,
) -> Exit {
    if args.dry_run {
        output.only_prints();
    }
    let choice = &args.choice;
    let others = choice.compare_dest.iter().chain(&args.copy_dest);
    let ends = [&choice.compare.source, &choice.compare.destination];
    place::declare(
        ends.into_iter()
            .chain(others)
            .chain(&args.backup.backup_dir),
    );
    let lists = match Lists::open(&args.reports) {
        Ok(lists) => lists,
        Err(error) => {
            output.fail(&error);
            return Exit::Usage;
        }
    };
    let mut report = Report::new(command, args.dry_run, output).with_lists(lists);
    let summary = match job::run(job.await, &mut report, output).await {
        Ok(summary) => summary,
        Err(exit) => return exit,
    };
    let transferred = summary.created + summary.updated + summary.renamed;
    match Exit::of_summary(&summary) {
        Exit::Done if args.error_on_no_transfer && transferred == 0 => Exit::NothingTransferred,
        exit => exit,
    }
}

pub(super) fn compare_options(args: &CompareArgs) -> Options {
    place::choose_files(args.files);
    let comparison = match (args.size_only, args.checksum) {
        (true, _) => Comparison::SizeOnly,
        (_, true) => Comparison::Checksum,
        _ => Comparison::SizeAndTime,
    };
    let mut options = Options::default()
        .comparison(comparison)
        .checkers(usize::from(args.checkers))
        .ignore_size(args.ignore_size);
    options.modify_window = args.modify_window;
    if args.copy_links {
        options = options.links(Symlinks::Follow);
    }
    options
}

pub(super) fn choice_options(args: &ChoiceArgs) -> Options {
    let mut options = compare_options(&args.compare);
    if args.ignore_times {
        options = options.comparison(Comparison::IgnoreTimes);
    }
    options
        .update(args.update)
        .no_update_modtime(args.no_update_modtime)
        .no_update_dir_modtime(args.no_update_dir_modtime)
        .ignore_existing(args.ignore_existing)
        .existing(args.existing)
        .immutable(args.immutable)
        .create_empty_dirs(args.create_empty_src_dirs)
}

fn transfer_options(args: &TransferArgs) -> Options {
    let mut options = choice_options(&args.choice);
    if args.interactive {
        options = options.confirm(confirm::on_terminal());
    }
    options = args.backup.apply(args.limits.apply(options));
    options
        .dry_run(args.dry_run)
        .tries(args.retries)
        .verify(args.verify.into())
        .fsync(args.fsync.into())
}

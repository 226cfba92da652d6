use std::time::Duration;

use omnistorage::sync::{
    Command, Comparison, Event, Fsync, Job, Options, Run, Summary, SyncError, Tree, Verify,
};
use omnistorage::{Result, Uri};
use tokio::time::Interval;

use super::report::Report;
use crate::args::{CheckArgs, CompareArgs, FsyncArg, MoveArgs, SyncArgs, TransferArgs, VerifyArg};
use crate::filter;
use crate::output::{Exit, Output};
use crate::place::{self, Missing};

pub(crate) async fn sync(args: SyncArgs, output: &Output) -> Exit {
    let mut options = transfer_options(&args.transfer)
        .delete_excluded(args.delete_excluded)
        .ignore_errors(args.ignore_errors)
        .allow_empty_source(args.allow_empty_source);
    options.max_delete = args.max_delete;
    transfer(Command::Sync, &args.transfer, options, output).await
}

pub(crate) async fn copy(args: TransferArgs, output: &Output) -> Exit {
    transfer(Command::Copy, &args, transfer_options(&args), output).await
}

pub(crate) async fn move_(args: MoveArgs, output: &Output) -> Exit {
    let options =
        transfer_options(&args.transfer).delete_empty_source_dirs(args.delete_empty_src_dirs);
    transfer(Command::Move, &args.transfer, options, output).await
}

pub(crate) async fn check(args: CheckArgs, output: &Output) -> Exit {
    let options = compare_options(&args.compare)
        .download(args.download)
        .one_way(args.one_way);
    let missing = Missing::Fail;
    let summary = execute(Command::Check, &args.compare, missing, options, output).await;
    summary.map_or_else(|exit| exit, |summary| Exit::of_summary(&summary))
}

async fn transfer(
    command: Command,
    args: &TransferArgs,
    options: Options,
    output: &Output,
) -> Exit {
    let missing = if args.dry_run {
        Missing::Fail
    } else {
        Missing::Create
    };
    let options = options.report_unchanged(output.verbosity() > 1);
    let summary = match execute(command, &args.compare, missing, options, output).await {
        Ok(summary) => summary,
        Err(exit) => return exit,
    };
    let transferred = summary.created + summary.updated + summary.renamed;
    match Exit::of_summary(&summary) {
        Exit::Done if args.error_on_no_transfer && transferred == 0 => Exit::NothingTransferred,
        exit => exit,
    }
}

fn compare_options(args: &CompareArgs) -> Options {
    let comparison = match (args.size_only, args.checksum) {
        (true, _) => Comparison::SizeOnly,
        (_, true) => Comparison::Checksum,
        _ => Comparison::SizeAndTime,
    };
    let mut options = Options::default()
        .comparison(comparison)
        .checkers(usize::from(args.checkers));
    options.modify_window = args.modify_window;
    options
}

fn transfer_options(args: &TransferArgs) -> Options {
    let mut options = compare_options(&args.compare);
    if args.ignore_times {
        options = options.comparison(Comparison::IgnoreTimes);
    }
    options
        .dry_run(args.dry_run)
        .update(args.update)
        .ignore_existing(args.ignore_existing)
        .existing(args.existing)
        .immutable(args.immutable)
        .transfers(usize::from(args.transfers))
        .tries(args.retries)
        .create_empty_dirs(args.create_empty_src_dirs)
        .verify(match args.verify {
            VerifyArg::Size => Verify::Size,
            VerifyArg::Hash => Verify::Hash,
            VerifyArg::ReadBack => Verify::ReadBack,
        })
        .fsync(match args.fsync {
            FsyncArg::None => Fsync::None,
            FsyncArg::End => Fsync::End,
            FsyncArg::Each => Fsync::Each,
        })
}

async fn execute(
    command: Command,
    args: &CompareArgs,
    missing: Missing,
    mut options: Options,
    output: &Output,
) -> Result<Summary, Exit> {
    let dry_run = options.dry_run;
    let mut report = Report::new(command, dry_run, output);
    let prepared = async {
        options.filter = filter::load(&args.filter).await?;
        let source = source(&args.source).await?;
        let destination = destination(&args.destination, missing).await?;
        Job::new(command, source, destination, options)
    };
    let run = match prepared.await {
        Ok(job) => job.run(),
        Err(error) => return Err(report.refused(&error)),
    };
    follow(run, &mut report, output.stats()).await
}

/// Reports each event; the first interrupt ends the run with a true summary.
async fn follow(
    mut run: Run,
    report: &mut Report<'_>,
    stats: Option<Duration>,
) -> Result<Summary, Exit> {
    let canceller = run.canceller();
    let mut stats = stats.map(tokio::time::interval);
    if let Some(interval) = &mut stats {
        // The first tick comes at once.
        interval.tick().await;
    }
    let mut interrupted = false;
    let mut interrupts = Box::pin(tokio::signal::ctrl_c());
    loop {
        let event = tokio::select! {
            event = run.next() => event,
            _ = &mut interrupts, if !interrupted => {
                interrupted = true;
                canceller.cancel();
                continue;
            }
            () = tick(&mut stats) => {
                report.stats();
                continue;
            }
        };
        match event {
            Some(Event::Summary(summary)) => {
                report.summary(&summary);
                return Ok(summary);
            }
            Some(event) => report.event(&event),
            None => return Err(Exit::Failed),
        }
    }
}

async fn tick(stats: &mut Option<Interval>) {
    match stats {
        Some(interval) => {
            interval.tick().await;
        }
        None => std::future::pending().await,
    }
}

/// A directory or prefix, or a single object, which stands for itself.
async fn source(text: &str) -> Result<Tree, SyncError> {
    match place::tree(text, Missing::Fail).await {
        Ok(place) => Ok(Tree::new(place.backend, place.path)),
        Err(error) if error.is_not_directory() && Uri::parse(text).is_ok() => {
            let place = place::entry(text, Missing::Fail).await.map_err(|_| error)?;
            Ok(Tree::new(place.backend, place.path.as_prefix()))
        }
        Err(error) => Err(error.into()),
    }
}

async fn destination(text: &str, missing: Missing) -> Result<Tree, SyncError> {
    let place = match missing {
        Missing::Create => place::tree(text, missing).await?,
        Missing::Fail => place::tree_to_be(text).await?,
    };
    Ok(Tree::new(place.backend, place.path))
}

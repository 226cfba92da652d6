//! `bisync`: what changed on either side goes to the other.

use std::path::PathBuf;

use omnistorage::sync::{
    Bisync, BisyncOptions, Command, Comparison, Loser, Options, Prefer, Resolve, SyncError, Tree,
    rmdirs,
};
use omnistorage::{Error, Result};

use super::report::Report;
use super::{backup, job};
use crate::args::{BisyncArgs, LoserArg, ResolveArg};
use crate::filter;
use crate::output::{Exit, Output};
use crate::place::{self, Missing};

pub(crate) async fn run(mut args: BisyncArgs, output: &Output) -> Exit {
    args.filter.filter_from.append(&mut args.filters_file);
    let mut report = Report::new(Command::Sync, args.dry_run, output).named("bisync");
    let run = prepare(&args).await.map(Bisync::run);
    let summary = match run {
        Ok(run) => job::follow(run, &mut report, output.stats()).await,
        Err(error) => Err(report.refused(&error)),
    };
    match summary.map_or_else(|exit| exit, |summary| Exit::of_summary(&summary)) {
        Exit::Done if args.remove_empty_dirs => match remove_empty(&args).await {
            Ok(()) => Exit::Done,
            Err(error) => output.fail(&error),
        },
        exit => exit,
    }
}

/// Removes the empty directories of both sides, where there are directories.
async fn remove_empty(args: &BisyncArgs) -> Result<(), SyncError> {
    let (path1, path2) = trees(args, false, Missing::Fail).await?;
    for side in [path1, path2] {
        let store = side.backend().as_extended();
        if store.is_some_and(|store| store.features().directories) {
            rmdirs(&side, true).await?;
        }
    }
    Ok(())
}

async fn prepare(args: &BisyncArgs) -> Result<Bisync, SyncError> {
    place::choose_files(args.files);
    let mut options = options(args);
    options.common.filter = filter::load(&args.filter).await?;
    // One that is refused leaves nothing behind. Nothing is created but local directories.
    let places = [
        Some(&args.path1),
        Some(&args.path2),
        args.workdir.as_ref(),
        args.backup_dir1.as_ref(),
        args.backup_dir2.as_ref(),
    ];
    let mut places = places.into_iter().flatten();
    if !args.dry_run && places.all(|place| place::is_local(place)) {
        job(args, options.clone(), Missing::Fail).await?;
    }
    let missing = match args.dry_run {
        true => Missing::Fail,
        false => Missing::Create,
    };
    job(args, options, missing).await
}

async fn job(
    args: &BisyncArgs,
    mut options: BisyncOptions,
    missing: Missing,
) -> Result<Bisync, SyncError> {
    let (mut path1, mut path2) = trees(args, options.resync.is_some(), missing).await?;
    let [kept1, kept2] = &mut options.backup_dirs;
    for (side, named, dir, kept) in [
        (&mut path1, &args.path1, &args.backup_dir1, kept1),
        (&mut path2, &args.path2, &args.backup_dir2, kept2),
    ] {
        if let Some(dir) = dir {
            let (tree, place) = backup::open(side.clone(), named, dir, missing).await?;
            (*side, *kept) = (tree, Some(place));
        }
    }
    let name = Bisync::state_name(&path1, &path2);
    let folder = match &args.workdir {
        Some(folder) => folder.clone(),
        None => default_folder()?,
    };
    let place = open(&folder, missing).await?;
    let state = Tree::new(place.backend, place.path.join(name)?.as_prefix());
    Bisync::new(path1, path2, state, options)
}

/// Both trees. Only where both sides are brought together may one of them be created, not both: two
/// names that are misspelled should not become two directories.
async fn trees(args: &BisyncArgs, may_create: bool, missing: Missing) -> Result<(Tree, Tree)> {
    let (first, second) = (&args.path1, &args.path2);
    let existing = [
        place::tree(first, Missing::Fail).await,
        place::tree(second, Missing::Fail).await,
    ];
    let [path1, path2] = match existing {
        [Err(error), Ok(second)] if may_create && error.is_not_found() => {
            [open(first, missing).await?, second]
        }
        [Ok(first), Err(error)] if may_create && error.is_not_found() => {
            [first, open(second, missing).await?]
        }
        [first, second] => [first?, second?],
    };
    Ok((
        Tree::new(path1.backend, path1.path),
        Tree::new(path2.backend, path2.path),
    ))
}

async fn open(text: &str, missing: Missing) -> Result<place::Place<omnistorage::Prefix>> {
    match missing {
        Missing::Fail => place::tree_to_be(text).await,
        Missing::Create => place::tree(text, missing).await,
    }
}

fn options(args: &BisyncArgs) -> BisyncOptions {
    let comparison = match (args.size_only, args.checksum) {
        (true, _) => Comparison::SizeOnly,
        (_, true) => Comparison::Checksum,
        _ => args.compare,
    };
    let mut options = BisyncOptions::default();
    options.common = Options::default()
        .comparison(comparison)
        .modify_window(args.modify_window)
        .dry_run(args.dry_run)
        .ignore_errors(args.ignore_errors)
        .create_empty_dirs(args.create_empty_src_dirs)
        .transfers(usize::from(args.transfers))
        .checkers(usize::from(args.checkers))
        .verify(args.verify.into())
        .tries(args.retries);
    let asked = args.resync.then_some(Prefer::Path1);
    options.resync = args.resync_mode.map(Prefer::from).or(asked);
    options.resolve = resolve(args.conflict_resolve);
    options.loser = match args.conflict_loser {
        LoserArg::Num => Loser::Number,
        LoserArg::Pathname => Loser::Path,
        LoserArg::Delete => Loser::Delete,
    };
    options.suffixes.clone_from(&args.conflict_suffix.0);
    options.suffix_keep_extension = args.suffix_keep_extension;
    options.max_delete = args.max_delete;
    options.force = args.force;
    options.check_access = args.check_access.then(|| args.check_filename.clone());
    options.max_lock = args.max_lock;
    options
}

fn resolve(how: ResolveArg) -> Resolve {
    match how {
        ResolveArg::None => Resolve::KeepBoth,
        ResolveArg::Path1 => Resolve::Winner(Prefer::Path1),
        ResolveArg::Path2 => Resolve::Winner(Prefer::Path2),
        ResolveArg::Newer => Resolve::Winner(Prefer::Newer),
        ResolveArg::Older => Resolve::Winner(Prefer::Older),
        ResolveArg::Larger => Resolve::Winner(Prefer::Larger),
        ResolveArg::Smaller => Resolve::Winner(Prefer::Smaller),
        ResolveArg::Skip => Resolve::Skip,
        ResolveArg::Error => Resolve::Error,
    }
}

/// `omni/bisync` where the system keeps the state of programs: it is no cache, for without it the
/// next run is refused.
fn default_folder() -> Result<String> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let folder = if cfg!(windows) {
        set("LOCALAPPDATA").map(PathBuf::from)
    } else {
        let home = || Some(PathBuf::from(set("HOME")?).join(".local/state"));
        set("XDG_STATE_HOME").map(PathBuf::from).or_else(home)
    };
    folder
        .and_then(|folder| {
            folder
                .join("omni")
                .join("bisync")
                .to_str()
                .map(str::to_owned)
        })
        .ok_or_else(|| {
            Error::config("there is no home directory to keep the state in; set --workdir")
        })
}

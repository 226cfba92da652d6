//! `plan` and `apply`: a plan as a file, and what it says done.

use omnistorage::sync::{Command, Failure, Job, Options, SavedPlan, SyncError};
use omnistorage::{Backend, Location, WriteOptions};
use serde_json::json;

use super::job::{self, destination, source};
use super::report::Report;
use super::{backup, confirm, transfer};
use crate::args::{ApplyArgs, PlanArgs, PlannedVerb};
use crate::filter;
use crate::output::{Exit, Output};
use crate::place::{self, Missing};
use crate::recode;
use crate::stdio;

/// Writes a plan; all of it or nothing.
pub(crate) async fn plan(args: PlanArgs, output: &Output) -> Exit {
    if output.is_json() && args.output == stdio::NAME {
        return output.usage("--json and the plan both want standard output: name a file with -o");
    }
    let written = match write(&args, output).await {
        Ok(written) => written,
        // Nobody reads standard output any more.
        Err(SyncError::Storage(error)) if stdio::is_unread(&error) => return Exit::Done,
        Err(error) => return output.fail(&error),
    };
    match written {
        Ok(()) => Exit::Done,
        Err(failures) => {
            for failure in failures {
                output.fail(&failure);
            }
            Exit::Failed
        }
    }
}

async fn write(args: &PlanArgs, output: &Output) -> Result<Result<(), Vec<Failure>>, SyncError> {
    args.check()?;
    let (choice, compare) = (&args.choice, &args.choice.compare);
    let command = match args.verb {
        PlannedVerb::Sync => Command::Sync,
        PlannedVerb::Copy => Command::Copy,
        PlannedVerb::Move => Command::Move,
    };
    let options = args.doomed.apply(transfer::choice_options(choice));
    let mut options = options
        .dry_run(true)
        .delete_excluded(args.delete_excluded)
        .request_tries(args.low_level_retries);
    options.filter = filter::load(&compare.filter).await?;
    options.compare_dest = transfer::others(&choice.compare_dest).await?;
    let from = recode::apply(&compare.recode, source(&compare.source).await?)?;
    let to = destination(&compare.destination, Missing::Fail).await?;
    let names = [&compare.source, &compare.destination].map(|text| lasting(text));
    let [from_name, to_name] = names;
    let mut lines = Job::new(command, from, to, options)?.plan_lines(from_name, to_name)?;
    let file = place::entry_or_stdio(&args.output, Missing::Fail).await?;
    let mut writer = file
        .backend
        .writer(&file.path, WriteOptions::default())
        .await?;
    let mut failures = Vec::new();
    let mut count = 0u64;
    while let Some(line) = lines.next().await {
        match line {
            Ok(line) => {
                count += 1;
                writer.write_bytes(format!("{line}\n").into()).await?;
            }
            Err(failure) => failures.push(failure),
        }
    }
    if !failures.is_empty() {
        writer.abort().await?;
        return Ok(Err(failures));
    }
    writer.finish().await?;
    let actions = count.saturating_sub(2);
    output.note(|| format!("plan: {actions} actions"));
    output.object(|| json!({"event": "written", "path": args.output, "actions": actions}));
    Ok(Ok(()))
}

/// A place as it can be found from another directory.
fn lasting(text: &str) -> String {
    let path = std::path::absolute(text).ok();
    match path.as_deref().and_then(std::path::Path::to_str) {
        Some(path) if !text.contains(':') => path.to_owned(),
        _ => text.to_owned(),
    }
}

/// Does what a plan says.
pub(crate) async fn apply(args: ApplyArgs, output: &Output) -> Exit {
    place::choose_files(args.files);
    let plan = match open(&args.plan).await {
        Ok(plan) => plan,
        Err(error) => return output.fail(&error),
    };
    let mut report = Report::new(plan.command(), args.dry_run, output);
    let summary = job::run(to_job(plan, &args).await, &mut report, output).await;
    summary.map_or_else(|exit| exit, |summary| Exit::of_summary(&summary))
}

async fn open(text: &str) -> Result<SavedPlan, SyncError> {
    let file = place::entry(text, Missing::Fail).await?;
    SavedPlan::open(Location::new(file.backend, file.path)).await
}

async fn to_job(plan: SavedPlan, args: &ApplyArgs) -> Result<Job, SyncError> {
    if args.dry_run {
        return job_of(plan, args, Missing::Fail).await;
    }
    // One that is refused leaves nothing behind.
    let places = [Some(plan.destination()), args.backup.backup_dir.as_deref()];
    if places.into_iter().flatten().all(place::is_local) {
        job_of(plan.clone(), args, Missing::Fail).await?;
    }
    job_of(plan, args, Missing::Create).await
}

async fn job_of(plan: SavedPlan, args: &ApplyArgs, missing: Missing) -> Result<Job, SyncError> {
    let from = source(plan.source()).await?;
    let mut to = destination(plan.destination(), missing).await?;
    let mut options = args.limits.apply(Options::default());
    options = args.backup.apply(options);
    if args.interactive {
        options = options.confirm(confirm::on_terminal());
    }
    if let Some(kept) = &args.backup.backup_dir {
        let trees = backup::open(to, plan.destination(), kept, missing).await?;
        to = trees.0;
        options.backup_dir = Some(trees.1);
    }
    options = options
        .dry_run(args.dry_run)
        .ignore_errors(args.ignore_errors)
        .transfers(usize::from(args.transfers))
        .tries(args.retries)
        .verify(args.verify.into())
        .fsync(args.fsync.into());
    options.max_delete = args.max_delete;
    options = args
        .limits
        .between(options, &**from.backend(), &**to.backend())?;
    plan.into_job(from, to, options)
}

//! Running a job of the sync engine, and the trees it works on.

use std::time::Duration;

use omnistorage::Uri;
use omnistorage::sync::{Event, Job, Run, Summary, SyncError, Tree};
use tokio::time::Interval;

use super::report::Report;
use crate::output::{Exit, Output};
use crate::place::{self, Missing};

/// Runs a job to its summary, or says why there is none.
pub(super) async fn run(
    job: Result<Job, SyncError>,
    report: &mut Report<'_>,
    output: &Output,
) -> Result<Summary, Exit> {
    match job {
        Ok(job) => follow(job.run(), report, output.stats()).await,
        Err(error) => Err(report.refused(&error)),
    }
}

/// Reports each event; the first interrupt ends the run with a true summary.
pub(super) async fn follow(
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
                report.summary(&summary)?;
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
pub(super) async fn source(text: &str) -> Result<Tree, SyncError> {
    match place::tree(text, Missing::Fail).await {
        Ok(place) => Ok(Tree::new(place.backend, place.path)),
        Err(error) if error.is_not_directory() && Uri::parse(text).is_ok() => {
            let place = place::entry(text, Missing::Fail).await.map_err(|_| error)?;
            Ok(Tree::new(place.backend, place.path.as_prefix()))
        }
        Err(error) => Err(error.into()),
    }
}

/// A directory or prefix that may be created.
pub(super) async fn destination(text: &str, missing: Missing) -> Result<Tree, SyncError> {
    let place = match missing {
        Missing::Create => place::tree(text, missing).await?,
        Missing::Fail => place::tree_to_be(text).await?,
    };
    Ok(Tree::new(place.backend, place.path))
}

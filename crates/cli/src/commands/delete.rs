//! Verbs that delete below a directory: `delete`, `rmdirs`.

use omnistorage::sync::{Command, Job, Options, SyncError, Tree, rmdirs as remove_empty};
use omnistorage::{Error, Result};
use serde_json::json;

use super::job;
use super::report::Report;
use crate::args::{DeleteArgs, RmdirsArgs};
use crate::filter;
use crate::output::{Counts, Exit, Output};
use crate::place::{self, Missing};

/// Deletes the objects below a place, and leaves its directories.
pub(crate) async fn delete(args: DeleteArgs, output: &Output) -> Exit {
    let mut options = Options::default()
        .dry_run(args.dry_run)
        .rmdirs(args.rmdirs)
        .transfers(usize::from(args.transfers))
        .max_delete(args.max_delete);
    let mut report = Report::new(Command::Delete, args.dry_run, output);
    let job = async {
        options.filter = filter::load(&args.filter).await?;
        Job::delete(tree(&args.path).await?, options)
    };
    let summary = job::run(job.await, &mut report, output).await;
    summary.map_or_else(|exit| exit, |summary| Exit::of_summary(&summary))
}

async fn tree(text: &str) -> Result<Tree, SyncError> {
    let place = place::tree(text, Missing::Fail).await.map_err(|error| {
        if error.is_not_directory() {
            Error::new(error.kind(), "it is a file; `omni rm` deletes it").with_path(text)
        } else {
            error
        }
    })?;
    Ok(Tree::new(place.backend, place.path))
}

/// Removes the directories that hold no object.
pub(crate) async fn rmdirs(args: RmdirsArgs, output: &Output) -> Result<Exit> {
    let text = args.path.trim_end_matches('/');
    // The root of a store has no name: it stays.
    let (tree, base) = match place::entry(text, Missing::Fail).await {
        Ok(place) => {
            let base = place.path.parent().len();
            (Tree::new(place.backend, place.path.as_prefix()), base)
        }
        Err(_) => {
            let place = place::tree(&args.path, Missing::Fail).await?;
            (Tree::new(place.backend, place.path), 0)
        }
    };
    let removed = match remove_empty(&tree, args.leave_root).await {
        Ok(removed) => removed,
        Err(error) => return Ok(output.fail(&error)),
    };
    for path in &removed {
        let path = path.get(base..).unwrap_or(path);
        output.info(
            || format!("rmdir {path}"),
            || json!({"event": "deleted", "path": path}),
        );
    }
    let deleted = removed.len() as u64;
    output.note(|| format!("rmdirs: {deleted} removed"));
    let counts = Counts {
        deleted,
        ..Counts::default()
    };
    output.summary("rmdirs", counts);
    Ok(Exit::Done)
}

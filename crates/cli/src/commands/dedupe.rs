//! `dedupe`: files of the same content.

use omnistorage::sync::{Command, Dedupe, Options, SyncError, Tree};

use super::report::Report;
use super::{confirm, job};
use crate::args::DedupeArgs;
use crate::filter;
use crate::output::{Exit, Output};
use crate::place::{self, Missing};

pub(crate) async fn run(args: DedupeArgs, output: &Output) -> Exit {
    let mut report = Report::new(Command::Delete, args.dry_run, output).named("dedupe");
    let summary = match prepare(&args).await {
        Ok(search) => job::follow(search.run(), &mut report, output.stats()).await,
        Err(error) => Err(report.refused(&error)),
    };
    summary.map_or_else(|exit| exit, |summary| Exit::of_summary(&summary))
}

async fn prepare(args: &DedupeArgs) -> Result<Dedupe, SyncError> {
    let mut options = Options::default()
        .checkers(usize::from(args.checkers))
        .dry_run(args.dry_run)
        .download(args.download)
        .filter(filter::load(&args.filter).await?);
    if args.interactive {
        options = options.confirm(confirm::on_terminal());
    }
    let place = place::tree(&args.path, Missing::Fail).await?;
    let tree = Tree::new(place.backend, place.path);
    Dedupe::new(tree, args.dedupe_mode.into(), options)
}

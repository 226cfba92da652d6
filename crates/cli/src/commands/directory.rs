use omnistorage::{BackendExt, Result, RmdirOptions};

use crate::args::PathsArgs;
use crate::output::{Counts, Exit, Output};
use crate::place::{self, Missing};

/// Creates directories, with their parents.
pub(crate) async fn mkdir(args: PathsArgs, output: &Output) -> Result<Exit> {
    let (mut exit, mut counts) = (Exit::Done, Counts::default());
    for text in &args.paths {
        let made = async {
            let place = place::entry(text.trim_end_matches('/'), Missing::Create).await?;
            place.backend.extended()?.mkdir(&place.path).await
        };
        match made.await {
            Ok(()) => counts.created += 1,
            Err(error) => {
                exit = output.fail_at(text, &error);
                counts.errors += 1;
            }
        }
    }
    output.summary("mkdir", counts);
    Ok(exit)
}

/// Removes empty directories.
pub(crate) async fn rmdir(args: PathsArgs, output: &Output) -> Result<Exit> {
    let (mut exit, mut counts) = (Exit::Done, Counts::default());
    for text in &args.paths {
        let removed = async {
            let place = place::entry(text.trim_end_matches('/'), Missing::Fail).await?;
            place
                .backend
                .extended()?
                .rmdir(&place.path, RmdirOptions::default())
                .await
        };
        match removed.await {
            Ok(()) => counts.deleted += 1,
            Err(error) => {
                exit = output.fail_at(text, &error);
                counts.errors += 1;
            }
        }
    }
    output.summary("rmdir", counts);
    Ok(exit)
}

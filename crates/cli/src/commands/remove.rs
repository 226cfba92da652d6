use omnistorage::{Backend, BackendExt, Error, ListOptions, Result, RmdirOptions};
use serde_json::json;

use crate::args::{PathsArgs, PurgeArgs};
use crate::output::{Counts, Exit, Output};
use crate::place::{self, Missing};

/// Deletes objects, each named.
pub(crate) async fn rm(args: PathsArgs, output: &Output) -> Result<Exit> {
    let (mut exit, mut counts) = (Exit::Done, Counts::default());
    for text in &args.paths {
        let deleted = async {
            let place = place::entry(text, Missing::Fail).await?;
            match place.backend.delete(&place.path).await? {
                true => Ok(()),
                false => Err(Error::not_found("nothing to delete").with_path(text)),
            }
        };
        match deleted.await {
            Ok(()) => {
                counts.deleted += 1;
                output.object(|| json!({"event": "deleted", "path": text}));
            }
            Err(error) => {
                exit = output.fail_at(text, &error);
                counts.errors += 1;
            }
        }
    }
    output.summary("rm", counts);
    Ok(exit)
}

/// Deletes a tree: everything below it, and the directory itself.
pub(crate) async fn purge(args: PurgeArgs, output: &Output) -> Result<Exit> {
    let mut counts = Counts::default();
    if args.dry_run {
        counts.deleted = would_purge(&args.path, output).await?;
    } else {
        let place = place::entry(args.path.trim_end_matches('/'), Missing::Fail).await?;
        match place
            .backend
            .as_extended()
            .filter(|extended| extended.features().purge)
        {
            Some(extended) => {
                let options = ListOptions::default().recursive(true);
                let mut entries = place.backend.entries(place.path.as_prefix(), options);
                let mut found = 0;
                while let Some(entry) = entries.next().await {
                    entry?;
                    found += 1;
                }
                drop(entries);
                extended
                    .rmdir(&place.path, RmdirOptions::default().recursive(true))
                    .await?;
                counts.deleted = found;
            }
            None => counts.deleted = place.backend.delete_prefix(place.path.as_prefix()).await?,
        }
    }
    output.summary("purge", counts);
    Ok(Exit::Done)
}

/// Says what a purge deletes, below the directory; how much that is.
async fn would_purge(text: &str, output: &Output) -> Result<u64> {
    let place = place::tree(text, Missing::Fail).await?;
    let options = ListOptions::default().recursive(true);
    let mut entries = place.backend.entries(place.path.clone(), options);
    let mut count = 0;
    while let Some(entry) = entries.next().await {
        let path = entry?.path;
        let path = path.strip_prefix(&place.path).unwrap_or(&path);
        count += 1;
        output.line(
            || format!("would delete {path}"),
            || json!({"event": "planned", "action": "delete", "path": path}),
        );
    }
    Ok(count)
}

use omnistorage::{Config, Error, Result};

use crate::args::CleanupArgs;
use crate::output::{Exit, Output};
use crate::place;

/// Aborts the uploads that were begun long enough ago and never finished.
pub(crate) async fn run(args: CleanupArgs, output: &Output) -> Result<Exit> {
    let (backend, config) = place::resolved(&args.path)?;
    if backend != "s3" {
        let message =
            format!("the backend {backend:?} has no uploads that could be left unfinished");
        return Err(Error::unsupported(message).with_path(place::shown(&args.path)));
    }
    of_s3(args, config, output).await
}

#[cfg(feature = "s3")]
async fn of_s3(args: CleanupArgs, config: Config, output: &Output) -> Result<Exit> {
    use omnistorage::Backend as _;
    use omnistorage::s3::S3Backend;

    let opened = S3Backend::from_config(config).await;
    let backend = opened.map_err(|error| error.with_path(place::shown(&args.path)))?;
    let (mut exit, mut counts) = (Exit::Done, crate::output::Counts::default());
    for upload in backend.unfinished_uploads(args.min_age).await? {
        if !args.dry_run
            && let Err(error) = backend.abort_upload(&upload).await
        {
            exit = output.fail_at(&upload.path, &error);
            counts.errors += 1;
            continue;
        }
        counts.deleted += 1;
        tell(output, &upload.path, &upload.id, args.dry_run);
    }
    output.summary("cleanup", counts);
    backend.close().await?;
    Ok(exit)
}

#[cfg(feature = "s3")]
fn tell(output: &Output, path: &str, upload: &str, dry_run: bool) {
    use serde_json::json;

    if dry_run {
        output.line(
            || format!("would abort {path}"),
            || json!({"event": "planned", "action": "abort", "path": path, "upload": upload}),
        );
    } else {
        output.line(
            || format!("aborted {path}"),
            || json!({"event": "aborted", "path": path, "upload": upload}),
        );
    }
}

/// Never reached: where S3 is not compiled in, no place is on it.
#[cfg(not(feature = "s3"))]
async fn of_s3(args: CleanupArgs, _: Config, _: &Output) -> Result<Exit> {
    let message = format!("{args:?} without the feature \"s3\"");
    Err(Error::unsupported(message))
}

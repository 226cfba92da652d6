use omnistorage::sync::{Options, Size, SyncError};
use serde_json::json;

use super::job::source;
use crate::args::SizeArgs;
use crate::filter;
use crate::output::{Counts, Exit, Output, size};

/// Counts objects and bytes.
pub(crate) async fn run(args: SizeArgs, output: &Output) -> Exit {
    match measure(&args).await {
        Ok(found) => show(&found, output),
        Err(error) => output.fail(&error),
    }
}

async fn measure(args: &SizeArgs) -> Result<Size, SyncError> {
    let options = Options::default().filter(filter::load(&args.filter).await?);
    Size::of(source(&args.path).await?, options).await
}

fn show(found: &Size, output: &Output) -> Exit {
    output.line(
        || {
            let mut text = format!(
                "Total objects: {}\nTotal size: {} ({} B)",
                found.objects,
                size(found.bytes),
                found.bytes
            );
            if found.of_unknown_size > 0 {
                text.push_str(&format!(
                    "\nTotal objects with unknown size: {}",
                    found.of_unknown_size
                ));
            }
            text
        },
        || {
            json!({
                "event": "size",
                "objects": found.objects,
                "bytes": found.bytes,
                "of_unknown_size": found.of_unknown_size,
            })
        },
    );
    output.summary("size", Counts::default());
    Exit::Done
}

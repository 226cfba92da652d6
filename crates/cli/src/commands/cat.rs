use omnistorage::{Backend, ByteRange, Error, Operation, ReadOptions, Result};
use tokio::io::AsyncWriteExt;

use crate::args::CatArgs;
use crate::output::{Exit, Output};
use crate::place::{self, Missing};

/// Writes objects to standard output, one after another.
pub(crate) async fn run(args: CatArgs, output: &Output) -> Result<Exit> {
    if output.is_json() {
        return Ok(output.usage("cat writes the content itself: --json is not for it"));
    }
    let range = match (args.tail, args.offset, args.count) {
        (Some(_), Some(_), _) | (Some(_), _, Some(_)) => {
            return Ok(output.usage("--tail excludes --offset and --count"));
        }
        (Some(tail), None, None) => ByteRange::Suffix(tail),
        (None, None, None) => ByteRange::Full,
        (None, offset, count) => ByteRange::at(offset.unwrap_or(0), count),
    };
    let mut exit = Exit::Done;
    for text in &args.paths {
        if let Err(error) = cat(text, range).await {
            if error.operation() == Some(Operation::Write) {
                // Nobody reads standard output any more.
                return Ok(exit);
            }
            exit = output.fail(&error);
        }
    }
    Ok(exit)
}

async fn cat(text: &str, range: ByteRange) -> Result<()> {
    let place = place::entry(text, Missing::Fail).await?;
    let mut reader = place
        .backend
        .reader(&place.path, ReadOptions::from(range))
        .await?;
    let mut stdout = tokio::io::stdout();
    let broken = |error: std::io::Error| Error::from(error).on(Operation::Write, "stdout");
    while let Some(chunk) = reader.chunk().await {
        stdout.write_all(&chunk?).await.map_err(broken)?;
    }
    stdout.flush().await.map_err(broken)
}

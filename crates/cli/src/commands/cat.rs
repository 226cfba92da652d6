use std::collections::VecDeque;

use omnistorage::pipeline::pipeline;
use omnistorage::{ByteRange, Bytes, Operation, ReadOptions, Reader, Result};
use tokio::io::{AsyncWriteExt, Stdout};

use crate::args::CatArgs;
use crate::output::{Exit, Output};
use crate::place::{self, Missing};
use crate::stdio;

/// Writes objects to standard output, one after another, decompressed.
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
        if let Err(error) = cat(text, range, args.raw).await {
            // Nobody reads standard output any more.
            if stdio::is_unread(&error) {
                return Ok(exit);
            }
            // The next one would not get there either.
            if stdio::is_unwritten(&error) {
                return Err(error);
            }
            exit = output.fail_at(text, &error);
        }
    }
    Ok(exit)
}

async fn cat(text: &str, range: ByteRange, raw: bool) -> Result<()> {
    let place = place::entry_or_stdio(text, Missing::Fail).await?;
    let backend = &*place.backend;
    let open = pipeline(backend, place.path.as_str());
    let open = if raw { open } else { open.detect() };
    let mut reader = open.clone().reader().await?;
    let mut range = range;
    if range != ByteRange::Full && reader.range().is_some() {
        // Nothing is compressed: the backend can find the range itself.
        let ranged = backend.reader(&place.path, ReadOptions::from(range));
        (reader, range) = (ranged.await?, ByteRange::Full);
    }
    let mut stdout = tokio::io::stdout();
    let copied = match range {
        ByteRange::Suffix(count) => copy_tail(&mut reader, count, &mut stdout).await,
        range => copy(&mut reader, range.resolve(u64::MAX)?, &mut stdout).await,
    };
    copied.map_err(|error| error.on(Operation::Read, backend.name()))?;
    stdout.flush().await.map_err(stdio::unwritten)
}

/// Copies the bytes of a range, and reads no further.
async fn copy(reader: &mut Reader, range: std::ops::Range<u64>, stdout: &mut Stdout) -> Result<()> {
    let mut offset = 0;
    while offset < range.end {
        let Some(chunk) = reader.chunk().await else {
            break;
        };
        let chunk = chunk?;
        let end = offset + chunk.len() as u64;
        let wanted = range.start.clamp(offset, end)..range.end.min(end);
        // Both lie within the chunk.
        let within = (wanted.start - offset) as usize..(wanted.end - offset) as usize;
        let part = chunk.get(within).unwrap_or_default();
        stdout.write_all(part).await.map_err(stdio::unwritten)?;
        offset = end;
    }
    Ok(())
}

/// Copies the last bytes; keeps them, and one chunk more, in memory.
async fn copy_tail(reader: &mut Reader, count: u64, stdout: &mut Stdout) -> Result<()> {
    let mut kept: VecDeque<Bytes> = VecDeque::new();
    let mut size = 0;
    while let Some(chunk) = reader.chunk().await {
        let chunk = chunk?;
        size += chunk.len() as u64;
        kept.push_back(chunk);
        while let Some(first) = kept.pop_front_if(|first| size - first.len() as u64 >= count) {
            size -= first.len() as u64;
        }
    }
    let mut excess = usize::try_from(size.saturating_sub(count)).unwrap_or(usize::MAX);
    for chunk in kept {
        let part = chunk.get(excess..).unwrap_or_default();
        stdout.write_all(part).await.map_err(stdio::unwritten)?;
        excess = excess.saturating_sub(chunk.len());
    }
    Ok(())
}

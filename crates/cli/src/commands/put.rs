use omnistorage::{Backend, Bytes, Error, Operation, Result, WriteMode, WriteOptions};
use serde_json::json;
use tokio::io::AsyncReadExt;

use crate::args::PutArgs;
use crate::output::{Counts, Exit, Output};
use crate::place::{self, Missing};

/// Bytes read from standard input at a time.
const CHUNK: usize = 1 << 20;

/// Writes standard input to an object. Until the end of the input nothing is visible.
pub(crate) async fn run(args: PutArgs, output: &Output) -> Result<Exit> {
    let place = place::entry(&args.path, Missing::Create).await?;
    let mode = match (args.append, args.immutable) {
        (true, _) => WriteMode::Append,
        (false, true) => WriteMode::CreateNew,
        (false, false) => WriteMode::Replace,
    };
    let mut options = WriteOptions::default().mode(mode);
    if let Some(content_type) = args.content_type {
        options = options.content_type(content_type);
    }
    if let Some(size) = args.size {
        options = options.size(size);
    }
    // What was there when the write began; only the summary depends on it.
    let existed = place.backend.exists(&place.path).await?;
    let mut writer = place.backend.writer(&place.path, options).await?;
    let mut stdin = tokio::io::stdin();
    let mut bytes = 0;
    loop {
        let mut chunk = Vec::with_capacity(CHUNK);
        let mut limited = (&mut stdin).take(CHUNK as u64);
        let read = limited.read_to_end(&mut chunk).await;
        read.map_err(|error| Error::from(error).on(Operation::Read, "stdin"))?;
        if chunk.is_empty() {
            break;
        }
        bytes += chunk.len() as u64;
        writer.write_bytes(Bytes::from(chunk)).await?;
    }
    let written = writer.finish().await?;
    output.object(|| json!({"event": "written", "path": args.path, "size": written.size}));
    output.summary(
        "put",
        Counts {
            created: u64::from(!existed),
            updated: u64::from(existed),
            bytes,
            ..Counts::default()
        },
    );
    Ok(Exit::Done)
}

use omnistorage::compression::{Compression, Level};
use omnistorage::pipeline::{CompressionLayer, pipeline};
use omnistorage::{Backend, Bytes, Error, ErrorKind, Operation, Result, WriteMode, WriteOptions};
use serde_json::json;
use tokio::io::AsyncReadExt;

use crate::args::{CompressArg, PutArgs};
use crate::layers::compress_with;
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
    if let Some(content_type) = args.content_type.clone() {
        options = options.content_type(content_type);
    }
    let layer = compression(&args)?;
    if let Some(size) = args.size.filter(|_| layer.is_none()) {
        options = options.size(size);
    }
    // What was there when the write began; only the summary depends on it.
    let existed = place.backend.exists(&place.path).await?;
    let mut writer = pipeline(&*place.backend, place.path.as_str())
        .compression(layer.unwrap_or(CompressionLayer::NONE))
        .write_options(options)
        .writer()
        .await?;
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
    // A backend knows the compressed size alone.
    if let Some(expected) = args.size.filter(|size| *size != bytes) {
        let message = format!("the input has {bytes} bytes instead of {expected}");
        return Err(Error::new(ErrorKind::Corrupt, message).with_path(&args.path));
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

/// The compression that is asked for.
fn compression(args: &PutArgs) -> Result<Option<CompressionLayer>> {
    Ok(match args.compress {
        None => None,
        Some(CompressArg::Named(compression, level)) => Some(compress_with(compression, level)),
        Some(CompressArg::Auto) => Compression::detect(&place::name(&args.path)?)
            .map(|compression| compress_with(compression, Level::Default)),
    })
}

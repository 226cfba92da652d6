use omnistorage::compression::{Compression, Level};
use omnistorage::pipeline::{CompressionLayer, pipeline};
use omnistorage::{
    Backend, ByteRange, Bytes, Error, ErrorKind, ObjectPath, Operation, ReadOptions, Result,
    WriteMode, WriteOptions,
};
use serde_json::json;
use tokio::io::{AsyncReadExt, Stdin};

use crate::args::{CompressArg, PutArgs};
use crate::layers::compress_with;
use crate::output::{Counts, Exit, Output};
use crate::place::{self, Missing, Place};

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
    let compression = compression(&args)?;
    let layer = compression.map(|(name, level)| compress_with(name, level));
    if let Some(size) = args.size.filter(|_| layer.is_none()) {
        options = options.size(size);
    }
    // What was there when the write began.
    let existed = place.backend.exists(&place.path).await?;
    let mut stdin = tokio::io::stdin();
    let mut first = None;
    if args.append && !args.raw && existed {
        let chunk = first.insert(read(&mut stdin).await?);
        refuse_mixture(&place, compression.map(|(name, _)| name), chunk).await?;
    }
    let mut writer = pipeline(&*place.backend, place.path.as_str())
        .compression(layer.unwrap_or(CompressionLayer::NONE))
        .write_options(options)
        .writer()
        .await?;
    let mut bytes = 0;
    let mut chunk = match first {
        Some(chunk) => chunk,
        None => read(&mut stdin).await?,
    };
    while !chunk.is_empty() {
        bytes += chunk.len() as u64;
        writer.write_bytes(chunk).await?;
        chunk = read(&mut stdin).await?;
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

async fn read(stdin: &mut Stdin) -> Result<Bytes> {
    let mut chunk = Vec::with_capacity(CHUNK);
    let read = stdin.take(CHUNK as u64).read_to_end(&mut chunk).await;
    read.map_err(|error| Error::from(error).on(Operation::Read, "stdin"))?;
    Ok(chunk.into())
}

/// The compression that is asked for.
fn compression(args: &PutArgs) -> Result<Option<(Compression, Level)>> {
    Ok(match args.compress {
        None => None,
        Some(CompressArg::Named(compression, level)) => Some((compression, level)),
        Some(CompressArg::Auto) => Compression::detect(&place::name(&args.path)?)
            .map(|compression| (compression, Level::Default)),
    })
}

/// Refuses to append what would make an object that is neither plain nor of one compression, and
/// cannot be read to its end.
async fn refuse_mixture(
    place: &Place<ObjectPath>,
    asked: Option<Compression>,
    input: &[u8],
) -> Result<()> {
    let start = ByteRange::at(0, Some(Compression::MAGIC_LEN as u64));
    let reader = place.backend.reader(&place.path, ReadOptions::from(start));
    let start = reader.await?.bytes().await?;
    let there = Compression::detect_magic(&start);
    let added = asked.or(Compression::detect_magic(input));
    let message = match (there, asked) {
        _ if start.is_empty() || input.is_empty() || there == added => return Ok(()),
        (Some(there), None) => format!(
            "the object is compressed with {there} and the input is not: give --compress {there}, \
             or --raw to append all the same"
        ),
        (Some(there), Some(asked)) => format!(
            "the object is compressed with {there}, not {asked}: --raw appends all the same"
        ),
        (None, Some(asked)) => format!(
            "the object is not compressed, and {asked} is asked for: --raw appends all the same"
        ),
        // Plain bytes may look like anything.
        (None, None) => return Ok(()),
    };
    Err(Error::config(message).with_path(place.path.as_str()))
}

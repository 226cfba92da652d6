use std::future::poll_fn;
use std::pin::Pin;

use futures_util::{StreamExt, stream};
use storage_compression::Compression;
use storage_core::{Bytes, Reader, Result};
use storage_format::Format;
use tokio::io::AsyncBufRead;

use super::FormatLayer;

/// What the extensions of a path say: `x.csv.gz`.
pub(super) fn extensions(path: &str) -> (Option<Compression>, Option<Format>) {
    let (inside, compression) = Compression::split(path);
    (compression, Format::detect(inside))
}

/// The compression of what a reader gives, by its first bytes or else the path. The reader that comes
/// back gives the same bytes.
pub(super) async fn compression(
    path: &str,
    format: Option<&FormatLayer>,
    reader: Reader,
) -> Result<(Reader, Option<Compression>)> {
    let (by_name, inside) = extensions(path);
    let records = format.cloned().or(inside.map(Into::into));
    if by_name.is_none() && records.is_some_and(|records| records.begins_with_anything()) {
        return Ok((reader, None));
    }
    let (reader, by_bytes) = look(reader).await?;
    Ok((reader, by_bytes.or(by_name)))
}

async fn look(mut reader: Reader) -> Result<(Reader, Option<Compression>)> {
    let first = poll_fn(|cx| {
        let looked = Pin::new(&mut reader).poll_fill_buf(cx);
        looked.map_ok(|bytes| {
            let found = Compression::detect_magic(bytes);
            (
                found,
                bytes.is_empty() || bytes.len() >= Compression::MAGIC_LEN,
            )
        })
    });
    match first.await? {
        (found, enough) if enough || found.is_some() => Ok((reader, found)),
        _ => look_further(reader).await,
    }
}

/// Joins chunks that are too short to tell.
async fn look_further(mut reader: Reader) -> Result<(Reader, Option<Compression>)> {
    let (info, range) = (reader.info().clone(), reader.range());
    let mut start = Vec::new();
    while start.len() < Compression::MAGIC_LEN {
        match reader.chunk().await {
            Some(chunk) => start.extend_from_slice(&chunk?),
            None => break,
        }
    }
    let found = Compression::detect_magic(&start);
    let stream = stream::iter([Ok(Bytes::from(start))]).chain(reader).boxed();
    let reader = match range {
        Some(range) => Reader::from_stream(info, range, stream),
        None => Reader::from_unsized_stream(info, stream),
    };
    Ok((reader, found))
}

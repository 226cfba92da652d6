use std::io::{Error, ErrorKind, Result};

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::head::{Framing, cut};

/// Passes a body on, framing included, without holding more than a buffer of it.
///
/// An error where the body ends before its framing says so.
pub(crate) async fn pass(
    reader: &mut (impl AsyncBufRead + Unpin),
    writer: &mut (impl AsyncWrite + Unpin),
    framing: Framing,
) -> Result<()> {
    match framing {
        Framing::Length(length) => exactly(reader, writer, length).await?,
        Framing::Chunked => chunks(reader, writer).await?,
        Framing::Close => {
            tokio::io::copy_buf(reader, writer).await?;
        }
    }
    writer.flush().await
}

/// As [`pass`], with the byte at an offset inverted; for bodies of a known length.
pub(crate) async fn corrupt(
    reader: &mut (impl AsyncBufRead + Unpin),
    writer: &mut (impl AsyncWrite + Unpin),
    length: u64,
    offset: u64,
) -> Result<()> {
    exactly(reader, writer, offset).await?;
    let byte = reader.read_u8().await?;
    writer.write_u8(!byte).await?;
    exactly(reader, writer, length.saturating_sub(offset + 1)).await?;
    writer.flush().await
}

async fn exactly(
    reader: &mut (impl AsyncBufRead + Unpin),
    writer: &mut (impl AsyncWrite + Unpin),
    length: u64,
) -> Result<()> {
    match tokio::io::copy_buf(&mut reader.take(length), writer).await? {
        copied if copied == length => Ok(()),
        _ => Err(cut("within a body")),
    }
}

async fn chunks(
    reader: &mut (impl AsyncBufRead + Unpin),
    writer: &mut (impl AsyncWrite + Unpin),
) -> Result<()> {
    loop {
        let size = chunk_size(&line(reader, writer).await?)?;
        if size == 0 {
            break;
        }
        exactly(reader, writer, size.saturating_add(2)).await?;
    }
    // Trailers, up to an empty line.
    while !matches!(line(reader, writer).await?.as_slice(), b"\r\n" | b"\n") {}
    Ok(())
}

/// Passes a line on and gives it.
async fn line(
    reader: &mut (impl AsyncBufRead + Unpin),
    writer: &mut (impl AsyncWrite + Unpin),
) -> Result<Vec<u8>> {
    let mut line = Vec::new();
    reader.take(64 << 10).read_until(b'\n', &mut line).await?;
    if !line.ends_with(b"\n") {
        return Err(cut("within a chunk's head"));
    }
    writer.write_all(&line).await?;
    Ok(line)
}

fn chunk_size(line: &[u8]) -> Result<u64> {
    let text = String::from_utf8_lossy(line);
    let digits = text.split([';', '\r', '\n']).next().unwrap_or_default();
    u64::from_str_radix(digits.trim(), 16)
        .map_err(|_| Error::new(ErrorKind::InvalidData, format!("no chunk size: {digits:?}")))
}

//! What goes in comes out, however it is cut.

use futures_util::StreamExt as _;
use proptest::prelude::*;
use storage_core::{Backend, BackendExt, ObjectPath, WriteOptions};
use storage_memory::MemoryBackend;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};

use super::{Codec, Pieces, Trickle, block_on, compress, decompress, decompress_with, sample};

/// Writes in pieces, flushing after some, and reads in pieces.
async fn through_pieces<C: Codec>(data: &[u8], write: usize, flush: usize, read: usize) -> Vec<u8> {
    let mut writer = C::writer(Trickle::new(read * 3 + 1));
    for (number, piece) in data.chunks(write).enumerate() {
        writer.write_all(piece).await.unwrap();
        if number % flush == flush - 1 {
            writer.flush().await.unwrap();
        }
    }
    writer.shutdown().await.unwrap();
    let below = writer.into_inner();
    assert!(below.shut);
    let mut reader = C::reader(Pieces::new(&below.data, read));
    let mut result = Vec::new();
    let mut buffer = vec![0; write];
    loop {
        match reader.read(&mut buffer).await.unwrap() {
            0 => break,
            count => result.extend_from_slice(&buffer[..count]),
        }
    }
    assert_eq!(reader.compressed_bytes(), below.data.len() as u64);
    assert_eq!(reader.read(&mut buffer).await.unwrap(), 0, "the end stays");
    result
}

pub(crate) fn random_data_round_trips_over_any_pieces<C: Codec>() {
    let sizes = prop_oneof![0usize..300, 60_000usize..70_000, 0usize..600_000];
    let pieces = || prop_oneof![1usize..40, 1usize..200_000];
    let cases = (sizes, any::<u64>(), pieces(), 1usize..20, pieces());
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(48)
    };
    proptest!(config, |((size, seed, write, flush, read) in cases)| {
        let data = sample(size, seed);
        // Tiny pieces of much data test nothing more and take long.
        let data = &data[..data.len().min(write.min(read) * 5_000)];
        let result = block_on(through_pieces::<C>(data, write, flush, read));
        prop_assert!(result == data, "{} bytes came back of {}", result.len(), data.len());
    });
}

pub(crate) fn every_split_point_gives_the_same<C: Codec>() {
    let data = sample(2_000, 1);
    let compressed = [compress::<C>(&data), compress::<C>(&data[..10])].concat();
    let expected = [&data[..], &data[..10]].concat();
    for at in 0..=compressed.len() {
        let (first, second) = compressed.split_at(at);
        let input = Pieces::new(first, 1 << 20).chain(Pieces::new(second, 1 << 20));
        let (result, error) =
            decompress_with(C::reader(tokio::io::BufReader::new(Unbuffered(input))));
        assert!(
            error.is_none() && result == expected,
            "split at {at}: {error:?}"
        );
    }
    let (result, error) = decompress_with(C::reader(Pieces::new(&compressed, 1)));
    assert!(error.is_none() && result == expected, "{error:?}");
}

/// Reads through `fill_buf`, so that pieces stay pieces.
struct Unbuffered<R>(R);

impl<R: tokio::io::AsyncBufRead + Unpin> tokio::io::AsyncRead for Unbuffered<R> {
    fn poll_read(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
        buf: &mut tokio::io::ReadBuf<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        let mut inner = std::pin::Pin::new(&mut self.0);
        let piece = std::task::ready!(inner.as_mut().poll_fill_buf(cx))?;
        let count = piece.len().min(buf.remaining());
        buf.put_slice(&piece[..count]);
        inner.consume(count);
        std::task::Poll::Ready(Ok(()))
    }
}

pub(crate) fn nothing_compresses_to_a_stream_of_nothing<C: Codec>() {
    let compressed = compress::<C>(b"");
    assert!(!compressed.is_empty());
    let (result, error) = decompress::<C>(&compressed);
    assert!(error.is_none() && result.is_empty(), "{error:?}");
}

pub(crate) fn members_that_follow_each_other_are_one_stream<C: Codec>() {
    let parts = [sample(100_000, 3), Vec::new(), sample(300_000, 4), vec![7]];
    let compressed: Vec<u8> = parts.iter().flat_map(|part| compress::<C>(part)).collect();
    let (result, error) = decompress::<C>(&compressed);
    assert!(error.is_none(), "{error:?}");
    assert!(result == parts.concat());
}

pub(crate) fn a_flush_makes_what_was_written_readable<C: Codec>() {
    block_on(async {
        let (near, far) = tokio::io::duplex(1 << 20);
        let mut writer = C::writer(near);
        let mut reader = C::reader(tokio::io::BufReader::new(far));
        for (number, size) in [1, 100_000, 70_000, 3, 65_536].into_iter().enumerate() {
            let data = sample(size, number as u64);
            writer.write_all(&data).await.unwrap();
            writer.flush().await.unwrap();
            // The writer is still open, so this would wait for ever were anything held back.
            let mut result = vec![0; size];
            reader.read_exact(&mut result).await.unwrap();
            assert!(result == data, "{size}");
        }
        writer.shutdown().await.unwrap();
        assert_eq!(reader.fill_buf().await.unwrap(), b"");
    });
}

pub(crate) fn flushes_without_data_cost_nothing<C: Codec>() {
    block_on(async {
        let mut writer = C::writer(Vec::new());
        writer.flush().await.unwrap();
        writer.write_all(b"some").await.unwrap();
        writer.flush().await.unwrap();
        let flushed = writer.get_ref().len();
        writer.flush().await.unwrap();
        assert_eq!(writer.get_ref().len(), flushed);
    });
}

pub(crate) fn every_way_of_reading_gives_the_same<C: Codec>() {
    let data = sample(700_000, 5);
    let compressed = compress::<C>(&data);
    block_on(async {
        let mut chunks = C::reader(&compressed[..]);
        let mut result = Vec::new();
        let mut longest = 0;
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.unwrap();
            longest = longest.max(chunk.len());
            result.extend_from_slice(&chunk);
        }
        assert!(result == data);
        assert!(
            longest >= 64 * 1024,
            "the chunks have {longest} bytes at most"
        );

        let mut result = vec![0; data.len() + 1];
        let (mut reader, mut filled) = (C::reader(&compressed[..]), 0);
        while filled < data.len() {
            // Large initialized memory goes past the buffer, small pieces through it.
            let end = if filled % 2 == 0 {
                result.len()
            } else {
                result.len().min(filled + 77)
            };
            filled += reader.read(&mut result[filled..end]).await.unwrap();
        }
        assert!(result[..filled] == data);

        let backend = MemoryBackend::new();
        backend.put("a", compressed.clone()).await.unwrap();
        let reader = C::reader(backend.open("a").await.unwrap()).into_reader();
        assert_eq!(
            (reader.info().path.as_str(), reader.info().size),
            ("a", None)
        );
        assert!(reader.bytes().await.unwrap() == data);
        let path = ObjectPath::new("b").unwrap();
        let mut writer = C::writer(
            backend
                .writer(&path, WriteOptions::default())
                .await
                .unwrap(),
        );
        writer.write_all(&data).await.unwrap();
        let written = writer.finish().await.unwrap();
        assert_eq!(written, writer.finish().await.unwrap());
        assert_eq!(written.size, backend.get("b").await.unwrap().len() as u64);
    });
}

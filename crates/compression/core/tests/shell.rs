//! What the asynchronous shell does about codecs that fail.

use std::future::{Future, poll_fn};
use std::task::Poll;

use storage_compression::{
    CompressWriter, Compression, Decode, DecodeError, DecompressReader, Encode, Fault, Output,
};
use storage_core::{Error, ErrorKind, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Hands bytes through; `0` makes it stop taking any, `1` makes it run out of memory.
struct Through;

impl Decode for Through {
    fn compression(&self) -> Compression {
        Compression::Gzip
    }

    fn decode(
        &mut self,
        input: &mut &[u8],
        output: &mut Output<'_>,
    ) -> std::result::Result<(), Fault> {
        while let Some((first, rest)) = input.split_first().filter(|_| !output.is_full()) {
            match first {
                0 => return Ok(()),
                1 => return Err(Fault::OutOfMemory),
                _ => output.put(&mut &[*first][..]),
            }
            *input = rest;
        }
        Ok(())
    }

    fn may_end(&self) -> bool {
        true
    }
}

#[tokio::test]
async fn a_codec_that_stops_taking_input_is_an_error_and_no_endless_loop() {
    let mut result = Vec::new();
    let mut reader = DecompressReader::new(&b"some\0more"[..], Through);
    let error: Error = reader.read_to_end(&mut result).await.unwrap_err().into();
    assert_eq!(
        (result.as_slice(), error.kind()),
        (&b"some"[..], ErrorKind::Corrupt)
    );
    assert_eq!(DecodeError::of(&error).unwrap().offset(), 4);
}

#[tokio::test]
async fn want_of_memory_is_no_corruption() {
    let mut result = Vec::new();
    let mut reader = DecompressReader::new(&b"some\x01"[..], Through);
    let error: Error = reader.read_to_end(&mut result).await.unwrap_err().into();
    assert_eq!(
        (result.as_slice(), error.kind()),
        (&b"some"[..], ErrorKind::Other)
    );
}

/// Hands bytes through and fails at the call of the given name.
struct FailsAt(&'static str);

impl FailsAt {
    fn call(&self, name: &str) -> Result<bool> {
        match self.0 == name {
            true => Err(Error::new(ErrorKind::Other, "the codec fails")),
            false => Ok(true),
        }
    }
}

impl Encode for FailsAt {
    fn encode(&mut self, input: &mut &[u8], output: &mut Output<'_>) -> Result<()> {
        output.put(input);
        self.call("encode").map(drop)
    }

    fn flush(&mut self, _: &mut Output<'_>) -> Result<bool> {
        self.call("flush")
    }

    fn finish(&mut self, _: &mut Output<'_>) -> Result<bool> {
        self.call("finish")
    }
}

#[tokio::test]
async fn a_codec_that_fails_closes_nothing_below() {
    for name in ["encode", "flush", "finish"] {
        let (near, mut far) = tokio::io::duplex(100);
        let mut writer = CompressWriter::new(near, FailsAt(name));
        let written = async {
            writer.write_all(b"some").await?;
            writer.flush().await?;
            writer.shutdown().await
        };
        let error: Error = written.await.unwrap_err().into();
        assert_eq!(error.kind(), ErrorKind::Other, "{name}");
        let error: Error = writer.shutdown().await.unwrap_err().into();
        assert!(error.is_writer_closed(), "{name}");
        // A pipe that was shut down would be at its end.
        let mut result = Vec::new();
        let mut end = std::pin::pin!(far.read_to_end(&mut result));
        let open = poll_fn(|cx| Poll::Ready(end.as_mut().poll(cx).is_pending())).await;
        assert!(open, "{name}");
    }
}

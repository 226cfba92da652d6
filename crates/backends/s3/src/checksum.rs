use std::pin::Pin;
use std::task::{Context, Poll, ready};

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::types::ChecksumType;
use bytes::Bytes;
use crc_fast::{CrcAlgorithm, Digest};
use futures_core::Stream;
use storage_core::{ByteStream, Error, ErrorKind, Result};

use crate::text;

/// A checksum of a whole object that the store keeps.
#[derive(Debug, Clone)]
pub(crate) struct Sum {
    algorithm: CrcAlgorithm,
    value: u64,
}

impl Sum {
    /// The best one that the reply tells. A sum of the sums of parts is none of the object.
    pub(crate) fn of(reply: &GetObjectOutput) -> Option<Self> {
        if reply.checksum_type == Some(ChecksumType::Composite) {
            return None;
        }
        let all = [
            (CrcAlgorithm::Crc64Nvme, &reply.checksum_crc64_nvme),
            (CrcAlgorithm::Crc32Iscsi, &reply.checksum_crc32_c),
            (CrcAlgorithm::Crc32IsoHdlc, &reply.checksum_crc32),
        ];
        let (algorithm, text) = all
            .into_iter()
            .find_map(|(a, text)| Some((a, text.as_ref()?)))?;
        let bytes = text::from_base64(text)?;
        let value = bytes
            .iter()
            .fold(0, |sum: u64, byte| sum << 8 | u64::from(*byte));
        Some(Self { algorithm, value })
    }

    /// The stream, which ends with `Corrupt` when its bytes have another sum.
    pub(crate) fn check(self, stream: ByteStream) -> ByteStream {
        Box::pin(Checked {
            stream,
            digest: Some(Digest::new(self.algorithm)),
            value: self.value,
        })
    }
}

struct Checked {
    stream: ByteStream,
    digest: Option<Digest>,
    value: u64,
}

impl Stream for Checked {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = ready!(self.stream.as_mut().poll_next(cx));
        if let (Some(Ok(chunk)), Some(digest)) = (&next, &mut self.digest) {
            digest.update(chunk);
        }
        let Some(digest) = self.digest.take_if(|_| next.is_none()) else {
            return Poll::Ready(next);
        };
        let message = "the bytes have another checksum than the store keeps";
        let failed = digest.finalize() != self.value;
        Poll::Ready(failed.then(|| Err(Error::new(ErrorKind::Corrupt, message))))
    }
}

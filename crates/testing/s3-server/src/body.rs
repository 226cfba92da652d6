use bytes::Bytes;
use futures_util::StreamExt;
use hyper::HeaderMap;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::{ChecksumAlgorithm, StreamingBlob};
use s3s::{S3Result, TrailingHeaders, s3_error};
use storage_core::{ObjectPath, WriteOptions, Writer};
use tokio::sync::OwnedSemaphorePermit;

use crate::checksum::{Algorithm, Sum, decode, finished, hasher, require};
use crate::error::{from_body, from_storage};
use crate::gateway::Gateway;

/// What a request says of its body.
#[derive(Debug, Default)]
pub(crate) struct Stated {
    pub(crate) length: Option<i64>,
    pub(crate) md5: Option<String>,
    pub(crate) sums: Vec<Sum>,
    pub(crate) algorithms: Vec<Algorithm>,
    pub(crate) trailers: Option<TrailingHeaders>,
}

impl Stated {
    /// Adds the checksums that are announced but come after the body, or that the caller wants.
    pub(crate) fn announce(
        &mut self,
        headers: &HeaderMap,
        wanted: Option<&ChecksumAlgorithm>,
    ) -> S3Result<()> {
        self.algorithms = self.sums.iter().map(|sum| sum.algorithm).collect();
        if let Some(wanted) = wanted {
            self.algorithms.push(Algorithm::named(wanted)?);
        }
        let trailers = headers.get_all("x-amz-trailer").into_iter();
        for line in trailers.filter_map(|value| value.to_str().ok()) {
            for name in line.split(',').map(str::trim) {
                let known = Algorithm::ALL
                    .into_iter()
                    .find(|known| known.header().eq_ignore_ascii_case(name));
                self.algorithms.extend(known);
            }
        }
        Ok(())
    }

    /// Those of the trailers, which are known when the body was read.
    fn trailing_sums(&self) -> Vec<Sum> {
        let read = |trailers: &HeaderMap| {
            let sum = |algorithm: Algorithm| {
                let value = trailers.get(algorithm.header())?.to_str().ok()?;
                Some(Sum {
                    algorithm,
                    value: value.trim().to_owned(),
                    composite: false,
                })
            };
            Algorithm::ALL.into_iter().filter_map(sum).collect()
        };
        let trailers = self.trailers.as_ref();
        trailers.and_then(|all| all.read(read)).unwrap_or_default()
    }

    fn check(&self, digest: &Digest) -> S3Result<()> {
        if self
            .length
            .is_some_and(|length| u64::try_from(length) != Ok(digest.size))
        {
            return Err(s3_error!(IncompleteBody));
        }
        if let Some(md5) = &self.md5 {
            let stated = decode(md5).filter(|md5| md5.len() == 16);
            let stated = stated.ok_or_else(|| s3_error!(InvalidDigest, "bad Content-MD5"))?;
            if stated != digest.md5 {
                return Err(s3_error!(BadDigest, "the content has another MD5"));
            }
        }
        require(&self.sums, &digest.sums)?;
        require(&self.trailing_sums(), &digest.sums)
    }
}

/// What is known of a body that was read to its end.
#[derive(Debug)]
pub(crate) struct Digest {
    pub(crate) size: u64,
    pub(crate) md5: [u8; 16],
    pub(crate) sums: Vec<Sum>,
}

/// Computes a [`Digest`].
pub(crate) struct Digester {
    size: u64,
    md5: Md5,
    sums: ChecksumHasher,
}

impl Digester {
    /// With CRC64NVME where no checksum is asked for.
    pub(crate) fn new(algorithms: &[Algorithm]) -> Self {
        let default = [Algorithm::Crc64nvme];
        let none = algorithms.is_empty();
        Self {
            size: 0,
            md5: Md5::new(),
            sums: hasher(if none { &default } else { algorithms }),
        }
    }

    pub(crate) fn update(&mut self, chunk: &[u8]) {
        self.size += chunk.len() as u64;
        self.md5.update(chunk);
        self.sums.update(chunk);
    }

    pub(crate) fn finish(self) -> Digest {
        Digest {
            size: self.size,
            md5: self.md5.finalize(),
            sums: finished(self.sums),
        }
    }
}

/// A body on its way into the store, not published.
pub(crate) enum Intake {
    /// In memory, within the budget that the permits stand for.
    Memory(Vec<Bytes>, Vec<OwnedSemaphorePermit>),
    /// Written to a temporary object that is not finished.
    Object(Box<Writer>),
}

impl Gateway {
    /// Reads a body, checks what is stated of it and keeps it: in memory up to `buffer` bytes, else in
    /// a writer of `temporary`.
    pub(crate) async fn receive(
        &self,
        body: Option<StreamingBlob>,
        stated: &Stated,
        buffer: usize,
        temporary: &ObjectPath,
    ) -> S3Result<(Intake, Digest)> {
        let mut digester = Digester::new(&stated.algorithms);
        let mut intake = Intake::Memory(Vec::new(), Vec::new());
        let mut chunks = futures_util::stream::iter(body).flatten();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(from_body)?;
            digester.update(&chunk);
            let fits = digester.size <= buffer as u64;
            intake = self.keep(intake, chunk, fits, temporary).await?;
        }
        let digest = digester.finish();
        stated.check(&digest)?;
        Ok((intake, digest))
    }

    async fn keep(
        &self,
        intake: Intake,
        chunk: Bytes,
        fits: bool,
        temporary: &ObjectPath,
    ) -> S3Result<Intake> {
        let mut writer = match intake {
            Intake::Object(writer) => writer,
            Intake::Memory(mut chunks, mut permits) => {
                let memory = std::sync::Arc::clone(&self.memory);
                let count = u32::try_from(chunk.len()).unwrap_or(u32::MAX);
                if let (true, Ok(permit)) = (fits, memory.try_acquire_many_owned(count)) {
                    chunks.push(chunk);
                    permits.push(permit);
                    return Ok(Intake::Memory(chunks, permits));
                }
                let writer = self.backend.writer(temporary, WriteOptions::default());
                let mut writer = Box::new(writer.await.map_err(from_storage)?);
                for chunk in chunks {
                    writer.write_bytes(chunk).await.map_err(from_storage)?;
                }
                writer
            }
        };
        writer.write_bytes(chunk).await.map_err(from_storage)?;
        Ok(Intake::Object(writer))
    }
}

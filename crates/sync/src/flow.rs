//! The flow of bytes: what bounds it in speed and in sum.

use std::sync::Arc;

use bytes::Bytes;
use storage_core::{Result, Writer};
use storage_middleware::bandwidth::Limiter;

use crate::limits::Limits;
use crate::{Bandwidth, Options};

/// What all transfers of a run share.
#[derive(Debug)]
pub(crate) struct Flow {
    pub(crate) limits: Limits,
    limiter: Option<Arc<Limiter>>,
    per_file: Option<u64>,
}

impl Flow {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            limits: Limits::new(options),
            limiter: options.bandwidth.clone().map(Limiter::new).map(Arc::new),
            per_file: options.bandwidth_per_file,
        }
    }

    /// With a share in the same bandwidth, and no limits.
    pub(crate) fn unlimited(&self) -> Self {
        Self {
            limits: Limits::new(&Options::default()),
            limiter: self.limiter.clone(),
            per_file: self.per_file,
        }
    }

    /// The pace of one transfer.
    pub(crate) fn pace(&self) -> Pace<'_> {
        let limit = self.per_file.map(Bandwidth::bytes_per_second);
        Pace {
            flow: self,
            own: limit.map(Limiter::new),
        }
    }

    /// Waits until an object of so many bytes may be sent in one piece.
    pub(crate) async fn pass(&self, bytes: u64) {
        self.limits.sending(bytes).await;
        if self.limiter.is_some() || self.per_file.is_some() {
            for limiter in self.pace().limiters() {
                limiter.take(bytes).await;
            }
        }
    }
}

/// The pace of one transfer.
#[derive(Debug)]
pub(crate) struct Pace<'a> {
    flow: &'a Flow,
    own: Option<Limiter>,
}

impl Pace<'_> {
    /// Writes a chunk as fast as may be.
    pub(crate) async fn write(&self, writer: &mut Writer, mut chunk: Bytes) -> Result<()> {
        while !chunk.is_empty() {
            let mut limiters = self.limiters();
            let wanted = chunk.len() as u64;
            let granted = match limiters.next() {
                Some(limiter) => limiter.grant(wanted).await,
                None => wanted,
            };
            for limiter in limiters {
                limiter.take(granted).await;
            }
            self.flow.limits.sending(granted).await;
            writer.write_bytes(chunk.split_to(granted as usize)).await?;
        }
        Ok(())
    }

    fn limiters(&self) -> impl Iterator<Item = &Limiter> {
        self.own.iter().chain(self.flow.limiter.as_deref())
    }
}

use async_trait::async_trait;
use bytes::Bytes;
use google_cloud_storage::model::Object;
use storage_core::{Result, WriteParts, WriteSink, Written};
use storage_hash::{WriteHasher, WriteHashes};

use crate::budget::{LEAST, Lease};
use crate::info::written;
use crate::upload::{Target, Upload, add_hashes};

/// Gathers content up to a part, to write it in one request, and goes over to parts beyond that.
#[derive(Debug)]
pub(crate) struct GcsSink {
    hasher: WriteHasher,
    state: State,
    lease: Lease,
    /// Bytes of a part.
    part: usize,
}

#[derive(Debug)]
enum State {
    Gathering {
        target: Target,
        chunks: Vec<Bytes>,
        size: usize,
    },
    Uploading(Upload),
    /// A call failed or was dropped half-way.
    Failed,
}

impl GcsSink {
    pub(crate) fn new(target: Target, parts: &WriteParts) -> Self {
        let settings = &target.client.settings;
        Self {
            hasher: WriteHasher::new(parts),
            lease: target.client.budget.clone().lease(),
            part: usize::try_from(settings.part_size).unwrap_or(LEAST),
            state: State::Gathering {
                target,
                chunks: Vec::new(),
                size: 0,
            },
        }
    }

    /// Bytes of the parts to upload in, when so many are held already: as many as there is room for.
    fn part_for(&mut self, held: usize) -> usize {
        let held = held.next_multiple_of(LEAST).clamp(LEAST, self.part);
        let mut wanted = self.part;
        while wanted > held && !self.lease.grow_to(wanted) {
            wanted = (wanted / 2).next_multiple_of(LEAST);
        }
        wanted
    }

    async fn go_over(&mut self, target: Target, chunks: Vec<Bytes>, size: usize) -> Result<()> {
        let mut upload = Upload::start(target, self.part_for(size));
        for chunk in chunks {
            upload.write(chunk).await?;
        }
        self.state = State::Uploading(upload);
        Ok(())
    }
}

#[async_trait]
impl WriteSink for GcsSink {
    async fn write(&mut self, chunk: Bytes) -> Result<()> {
        self.hasher.update(&chunk);
        match std::mem::replace(&mut self.state, State::Failed) {
            State::Gathering {
                target,
                mut chunks,
                size,
            } => {
                let held = size + chunk.len();
                chunks.push(chunk);
                let fits = held <= self.part && (held <= LEAST || self.lease.grow_to(held));
                if !fits {
                    return self.go_over(target, chunks, size).await;
                }
                self.state = State::Gathering {
                    target,
                    chunks,
                    size: held,
                };
            }
            State::Uploading(mut upload) => {
                upload.write(chunk).await?;
                self.state = State::Uploading(upload);
            }
            State::Failed => return Err(failed()),
        }
        Ok(())
    }

    async fn finish(self: Box<Self>) -> Result<Written> {
        let WriteHashes {
            reported, stored, ..
        } = self.hasher.finish()?;
        let object: Object = match self.state {
            State::Gathering {
                mut target, chunks, ..
            } => {
                target.attributes.add_hashes(&stored);
                target.at_once(&chunks).await?
            }
            State::Uploading(upload) => {
                let target = upload.target().clone();
                let object = upload.finish().await?;
                add_hashes(&target, object, &stored).await?
            }
            State::Failed => return Err(failed()),
        };
        Ok(written(&object, reported))
    }
}

fn failed() -> storage_core::Error {
    storage_core::Error::new(
        storage_core::ErrorKind::WriterClosed,
        "the upload failed before",
    )
}

//! What is measured, the same for everybody.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use tokio::task::JoinSet;

use super::client::Client;
use crate::Result;

/// Small requests at once.
pub(crate) const IN_FLIGHT: usize = 32;
/// Bytes of a part of a large object, and parts in flight.
pub(crate) const PART: usize = 16 << 20;
pub(crate) const PARTS: usize = 4;
/// A small object, and a range of a large one.
pub(crate) const SMALL: usize = 4 << 10;

/// One thing that every contender does in its own way.
#[derive(Debug, Clone)]
pub(crate) enum Work {
    /// Large objects of some parts each, one after the other.
    PutLarge {
        key: String,
        objects: usize,
        parts: usize,
    },
    GetLarge {
        key: String,
        objects: usize,
        size: u64,
    },
    PutSmall {
        prefix: String,
        count: usize,
    },
    GetSmall {
        prefix: String,
        count: usize,
    },
    Stat {
        prefix: String,
        count: usize,
    },
    /// One by one.
    Delete {
        prefix: String,
        count: usize,
    },
    /// Whatever is below the prefix.
    Purge {
        prefix: String,
    },
    List {
        prefix: String,
        count: usize,
    },
    /// Ranges of one large object, all over it.
    Ranges {
        key: String,
        size: u64,
        count: usize,
    },
}

/// The name of a small object.
pub(crate) fn name(prefix: &str, index: usize) -> String {
    format!("{prefix}{index:07}")
}

impl Work {
    /// Does it with a library, and checks that all of it was done.
    pub(crate) async fn run(&self, client: &Arc<dyn Client>, noise: &Bytes) -> Result {
        match self.clone() {
            Self::PutLarge {
                key,
                objects,
                parts,
            } => {
                for index in 0..objects {
                    let part = noise.slice(..PART);
                    client
                        .put_large(&name(&key, index), &vec![part; parts])
                        .await?;
                }
                Ok(())
            }
            Self::GetLarge { key, objects, size } => {
                for index in 0..objects {
                    equal(client.get_large(&name(&key, index), size).await?, size)?;
                }
                Ok(())
            }
            Self::List { prefix, count } => equal(client.list(&prefix).await?, count as u64),
            Self::Purge { prefix } => client.purge(&prefix).await,
            many => many.run_many(client, noise).await,
        }
    }

    /// The kinds that are many small requests.
    async fn run_many(self, client: &Arc<dyn Client>, noise: &Bytes) -> Result {
        let count = match &self {
            Self::PutSmall { count, .. }
            | Self::GetSmall { count, .. }
            | Self::Stat { count, .. }
            | Self::Delete { count, .. }
            | Self::Ranges { count, .. } => *count,
            _ => 0,
        };
        let (next, work) = (Arc::new(AtomicUsize::new(0)), Arc::new(self));
        let mut tasks: JoinSet<Result> = JoinSet::new();
        for _ in 0..IN_FLIGHT {
            let (next, work) = (Arc::clone(&next), Arc::clone(&work));
            let (client, bytes) = (Arc::clone(client), noise.slice(..SMALL));
            tasks.spawn(async move {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= count {
                        return Ok(());
                    }
                    work.step(&*client, index, &bytes).await?;
                }
            });
        }
        while let Some(ended) = tasks.join_next().await {
            ended??;
        }
        Ok(())
    }

    async fn step(&self, client: &dyn Client, index: usize, bytes: &Bytes) -> Result {
        match self {
            Self::PutSmall { prefix, .. } => client.put(&name(prefix, index), bytes.clone()).await,
            Self::GetSmall { prefix, .. } => {
                equal(client.get(&name(prefix, index)).await?, SMALL as u64)
            }
            Self::Stat { prefix, .. } => {
                equal(client.stat(&name(prefix, index)).await?, SMALL as u64)
            }
            Self::Delete { prefix, .. } => client.delete(&name(prefix, index)).await,
            Self::Ranges { key, size, .. } => {
                // A prime, so that the offsets are all over the object.
                let start = (index as u64 * 7_919 * SMALL as u64) % (size - SMALL as u64);
                let range = start..start + SMALL as u64;
                equal(client.range(key, range).await?, SMALL as u64)
            }
            _ => Err("not a kind of small requests".into()),
        }
    }
}

fn equal(found: u64, expected: u64) -> Result {
    match found == expected {
        true => Ok(()),
        false => Err(format!("{found} instead of {expected}").into()),
    }
}

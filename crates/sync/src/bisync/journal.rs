use std::time::Duration;

use tokio::time::Instant;

use super::record::Record;
use super::store::{SEGMENT, Store};
use crate::SyncError;
use crate::tree::Side;

/// How long what was done may be known to this process alone.
const EVERY: Duration = Duration::from_secs(10);

/// Writes down what a run has done, so that the state can be put together even if it breaks off.
#[derive(Debug)]
pub(crate) struct Journal<'a> {
    store: &'a Store,
    sides: [&'a Side; 2],
    generation: u64,
    sequence: u32,
    segment: u32,
    records: Vec<Record>,
    since: Instant,
    is_empty: bool,
}

impl<'a> Journal<'a> {
    pub(crate) fn new(store: &'a Store, sides: [&'a Side; 2], generation: u64) -> Self {
        Self {
            store,
            sides,
            generation,
            sequence: 0,
            segment: 0,
            records: Vec::new(),
            since: Instant::now(),
            is_empty: true,
        }
    }

    /// Takes note of a key; in a sequence, keys ascend.
    pub(crate) async fn push(&mut self, record: Record) -> Result<(), SyncError> {
        if self.records.is_empty() {
            self.since = Instant::now();
        }
        self.records.push(record);
        if self.records.len() as u64 >= SEGMENT || self.since.elapsed() >= EVERY {
            self.publish().await?;
        }
        Ok(())
    }

    /// Begins anew with the keys.
    pub(crate) async fn next_sequence(&mut self) -> Result<(), SyncError> {
        self.publish().await?;
        self.sequence += 1;
        self.segment = 0;
        Ok(())
    }

    /// Whether nothing was published.
    pub(crate) const fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// Makes durable what was done, and only then says so: a state that knows more than the disk
    /// would take what a power cut undid for a deletion.
    pub(crate) async fn publish(&mut self) -> Result<(), SyncError> {
        if self.records.is_empty() {
            return Ok(());
        }
        for side in self.sides {
            if let Some(extended) = side.backend().as_extended() {
                extended.flush().await?;
            }
        }
        let number = (self.sequence, self.segment);
        self.store
            .write_journal(self.generation, number, &self.records)
            .await?;
        self.segment += 1;
        self.is_empty = false;
        self.records.clear();
        Ok(())
    }
}

//! One operation, all contenders, in turn.

use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
use std::time::Duration;

use tokio::runtime::Runtime;

use crate::Result;
use crate::samples::Samples;
use crate::store::{Batch, Operation, Store};

/// What the first column is held to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bar {
    /// At most this share of the time of the fastest peer.
    FastestPeer(f64),
    /// At most this share of the time of the column of this name.
    Column(&'static str, f64),
    /// At most this many allocations a call.
    Allocations(f64),
    /// At most this many seconds.
    Time(f64),
}

/// How long one batch of calls is meant to take.
const BATCH: Duration = Duration::from_millis(20);

type Run = Box<dyn Fn(Range<usize>, bool) -> Pin<Box<dyn Future<Output = Result<Batch>> + Send>>>;
type Reset = Box<dyn Fn() -> Result>;

/// One row of a table before it is run.
pub(crate) struct Contest {
    title: String,
    bars: Vec<Bar>,
    most_calls: usize,
    entries: Vec<Entry>,
}

struct Entry {
    column: &'static str,
    run: Run,
    reset: Option<Reset>,
    calls: usize,
    done: usize,
    samples: Samples,
    allocations: f64,
}

/// One row of a table.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) title: String,
    pub(crate) bars: Vec<Bar>,
    /// By column; of several ways to do the same, the fastest.
    pub(crate) cells: Vec<Cell>,
}

/// The result of one contender.
#[derive(Debug)]
pub(crate) struct Cell {
    pub(crate) column: &'static str,
    pub(crate) samples: Samples,
    /// A call.
    pub(crate) allocations: f64,
}

impl Contest {
    /// A row with bars, whose batches have at most `most_calls` calls.
    pub(crate) fn new(title: impl Into<String>, bars: &[Bar], most_calls: usize) -> Self {
        Self {
            title: title.into(),
            bars: bars.to_vec(),
            most_calls,
            entries: Vec::new(),
        }
    }

    /// Whether the title contains `text`.
    pub(crate) fn is_named(&self, text: &str) -> bool {
        self.title.contains(text)
    }

    /// Adds a contender. Several in one column are several ways to do the same.
    pub(crate) fn enter<S: Store>(
        &mut self,
        column: &'static str,
        store: &S,
        operation: &Operation,
    ) -> &mut Self {
        let (store, operation) = (store.clone(), operation.clone());
        let run: Run = Box::new(move |range, counted| {
            Box::pin(operation.clone().batch(store.clone(), range, counted))
        });
        self.entries.push(Entry {
            column,
            run,
            reset: None,
            calls: 1,
            done: 0,
            samples: Samples::default(),
            allocations: 0.0,
        });
        self
    }

    /// Has `reset` called before each batch of the contender entered last, outside the time taken.
    pub(crate) fn resetting(&mut self, reset: impl Fn() -> Result + 'static) {
        if let Some(entry) = self.entries.last_mut() {
            entry.reset = Some(Box::new(reset));
        }
    }

    /// Warms up, then measures everyone `rounds` times, each round beginning with another contender.
    pub(crate) fn run(mut self, runtime: &Runtime, rounds: usize) -> Result<Row> {
        eprintln!("  {}", self.title);
        for entry in &mut self.entries {
            entry
                .warm_up(runtime, self.most_calls)
                .map_err(|error| format!("{}: {}: {error}", self.title, entry.column))?;
        }
        let count = self.entries.len();
        for turn in 0..rounds * count {
            let entry = &mut self.entries[(turn + turn / count) % count];
            let batch = entry.batch(runtime, false)?;
            entry.samples.push(batch.time);
        }
        for entry in &mut self.entries {
            entry.allocations = entry.batch(runtime, true)?.allocations.unwrap_or_default();
        }
        Ok(self.into_row())
    }

    fn into_row(self) -> Row {
        let cells = self.entries.into_iter().map(|entry| Cell {
            column: entry.column,
            samples: entry.samples,
            allocations: entry.allocations,
        });
        Row::new(&self.title, &self.bars, cells)
    }
}

impl Row {
    /// A row of the fastest of several cells of one column.
    pub(crate) fn new(title: &str, bars: &[Bar], all: impl Iterator<Item = Cell>) -> Self {
        let mut cells: Vec<Cell> = Vec::new();
        for cell in all {
            match cells.iter_mut().find(|other| other.column == cell.column) {
                None => cells.push(cell),
                Some(slower) if slower.samples.median() > cell.samples.median() => *slower = cell,
                Some(_) => {}
            }
        }
        Self {
            title: title.to_owned(),
            bars: bars.to_vec(),
            cells,
        }
    }
}

impl Entry {
    /// Doubles the batch until it takes long enough to be timed.
    fn warm_up(&mut self, runtime: &Runtime, most_calls: usize) -> Result {
        loop {
            let call = self
                .batch(runtime, false)?
                .time
                .max(Duration::from_nanos(1));
            let enough = (BATCH.as_nanos() / call.as_nanos()).max(1) as usize;
            if self.calls >= enough.min(most_calls) {
                self.batch(runtime, false)?;
                return Ok(());
            }
            self.calls = (self.calls * 2).min(enough).min(most_calls);
        }
    }

    /// Runs on a worker of the runtime, as a program's tasks do.
    fn batch(&mut self, runtime: &Runtime, counted: bool) -> Result<Batch> {
        if let Some(reset) = &self.reset {
            reset()?;
        }
        let range = self.done..self.done + self.calls;
        self.done = range.end;
        runtime.block_on(runtime.spawn((self.run)(range, counted)))?
    }
}

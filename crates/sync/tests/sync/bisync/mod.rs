//! Two-way synchronisation, one named test a rule.

mod conflicts;
mod crashes;
mod guards;
mod locking;
mod model;
mod propagating;
mod state;
mod tags;

use std::collections::BTreeMap;
use std::sync::Arc;

use storage_core::{BackendExt, Bytes};
use storage_sync::{Bisync, BisyncError, BisyncOptions, Event, Prefer, Summary, SyncError};

use crate::trees::{Store, memory, objects, put, tree};

/// Two trees and the state of their synchronisation.
pub(super) struct World {
    pub(super) a: Store,
    pub(super) b: Store,
    pub(super) state: Store,
    pub(super) options: BisyncOptions,
    /// A clock for modified times.
    tick: u64,
}

impl World {
    pub(super) fn new(a: Store, b: Store) -> Self {
        let (state, options) = (memory(), BisyncOptions::default());
        Self {
            a,
            b,
            state,
            options,
            tick: 0,
        }
    }

    /// Both sides have these objects, from a first run.
    pub(super) async fn with(files: &[&str]) -> Self {
        let mut world = Self::new(memory(), memory());
        for path in files {
            world.put(Side::A, path, format!("base of {path}")).await;
        }
        world.resync().await;
        world
    }

    pub(super) const fn store(&self, side: Side) -> &Store {
        match side {
            Side::A => &self.a,
            Side::B => &self.b,
        }
    }

    /// Writes, later than everything before.
    pub(super) async fn put(&mut self, side: Side, path: &str, content: impl Into<Bytes>) {
        self.tick += 1;
        put(self.store(side), path, content, self.tick).await;
    }

    pub(super) async fn delete(&self, side: Side, path: &str) {
        assert!(self.store(side).remove(path).await.unwrap(), "{path}");
    }

    pub(super) async fn try_with(&self, options: BisyncOptions) -> Result<Summary, SyncError> {
        self.job(options).run().summary().await
    }

    pub(super) fn job(&self, options: BisyncOptions) -> Bisync {
        let (a, b) = (tree(&self.a, ""), tree(&self.b, ""));
        Bisync::new(a, b, tree(&self.state, "state-of-ab"), options).unwrap()
    }

    pub(super) async fn resync(&self) -> Summary {
        let mut options = self.options.clone();
        options.resync = Some(Prefer::Path1);
        self.try_with(options).await.unwrap()
    }

    pub(super) async fn run(&self) -> Summary {
        self.try_with(self.options.clone()).await.unwrap()
    }

    /// A run that is refused as a whole.
    pub(super) async fn refused(&self) -> Refusal {
        let summary = self.failing().await;
        assert_eq!(summary.failures.len(), 1, "{:?}", summary.failures);
        Refusal(summary)
    }

    pub(super) async fn failing(&self) -> Summary {
        match self.try_with(self.options.clone()).await {
            Err(SyncError::Incomplete(summary)) => *summary,
            other => panic!("expected an incomplete run, got {other:?}"),
        }
    }

    /// The lines of what a run plans.
    pub(super) async fn planned(&self, options: BisyncOptions) -> Vec<String> {
        let mut run = self.job(options).run();
        let mut lines = Vec::new();
        while let Some(event) = run.next().await {
            if let Event::Planned(action) = event {
                lines.push(action.to_string());
            }
        }
        lines
    }

    pub(super) async fn both(&self) -> [BTreeMap<String, Bytes>; 2] {
        [objects(&self.a, "").await, objects(&self.b, "").await]
    }

    /// Both sides are the same, and this is what they have.
    pub(super) async fn assert(&self, expected: &[(&str, &str)]) {
        let [a, b] = self.both().await;
        let expected: BTreeMap<_, _> = expected
            .iter()
            .map(|(path, content)| {
                (
                    (*path).to_owned(),
                    Bytes::copy_from_slice(content.as_bytes()),
                )
            })
            .collect();
        assert_eq!((&a, &b), (&expected, &expected));
    }

    /// A further run has nothing to do.
    pub(super) async fn assert_settled(&self) {
        assert_eq!(self.planned(self.options.clone()).await, [""; 0]);
    }
}

pub(super) struct Refusal(Summary);

impl Refusal {
    pub(super) fn error(&self) -> &BisyncError {
        match &*self.0.failures[0].error {
            SyncError::Bisync(error) => error,
            other => panic!("{other:?}"),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    A,
    B,
}

impl Side {
    pub(super) const BOTH: [Self; 2] = [Self::A, Self::B];

    pub(super) const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

pub(super) fn shared(store: impl storage_core::Backend) -> Store {
    Arc::new(store)
}

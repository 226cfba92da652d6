use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use storage_core::{Error, ErrorKind, Operation, Result};

use crate::{Call, Intercept, Step};

/// Keeps a log of what was done, in the order in which it was done with.
///
/// Chunks of readers and writers are left out; openings, flushes, finishes and aborts are in.
#[derive(Debug, Clone, Default)]
pub struct Recording(Arc<Mutex<Vec<Record>>>);

/// One entry of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// The operation.
    pub operation: Operation,
    /// The part of the operation.
    pub step: Step,
    /// The path or prefix; empty for the root, `flush` and `close`.
    pub path: String,
    /// Where a copy or rename went.
    pub target: Option<String>,
    /// The options as `Debug` shows them; empty where there are none.
    pub options: String,
    /// How it ended.
    pub outcome: Result<(), ErrorKind>,
}

impl Recording {
    /// An empty log.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The log so far.
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        self.log().clone()
    }

    /// The log so far, one line an entry: `write finish a/b`, and the kind of error where there was
    /// one.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.log().iter().map(Record::line).collect()
    }

    /// Empties the log and gives what was in it.
    #[must_use]
    pub fn take(&self) -> Vec<Record> {
        std::mem::take(&mut *self.log())
    }

    fn log(&self) -> MutexGuard<'_, Vec<Record>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Record {
    fn line(&self) -> String {
        let mut line = self.operation.to_string();
        match self.step {
            Step::Call => {}
            Step::Open => line.push_str(" open"),
            Step::Chunk => line.push_str(" chunk"),
            Step::Flush => line.push_str(" flush"),
            Step::Finish => line.push_str(" finish"),
            Step::Abort => line.push_str(" abort"),
        }
        for path in [Some(&self.path), self.target.as_ref()]
            .into_iter()
            .flatten()
        {
            line.push(' ');
            line.push_str(path);
        }
        if let Err(kind) = self.outcome {
            line.push_str(": ");
            line.push_str(kind.as_str());
        }
        line
    }
}

#[async_trait]
impl Intercept for Recording {
    async fn after(&self, call: &Call<'_>, outcome: Result<u64, &Error>) -> Result<()> {
        if call.step() != Step::Chunk {
            self.log().push(Record {
                operation: call.operation(),
                step: call.step(),
                path: call.path().to_owned(),
                target: call.target().map(ToString::to_string),
                options: call.summary(),
                outcome: outcome.map(|_| ()).map_err(Error::kind),
            });
        }
        Ok(())
    }
}

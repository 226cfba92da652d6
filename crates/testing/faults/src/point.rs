use std::fmt;
use std::sync::Arc;

use storage_core::Operation;

use crate::{Call, Step};

type Predicate = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// Which steps a fault applies to; the default is every call and every opening of a stream.
///
/// ```
/// use storage_core::Operation;
/// use storage_faults::{Point, Step};
///
/// let point = Point::on(Operation::Write).at(Step::Finish).path(|path| path.ends_with(".log"));
/// # let _ = point;
/// ```
#[derive(Clone, Default)]
#[must_use]
pub struct Point {
    operation: Option<Operation>,
    step: Option<Step>,
    path: Option<Predicate>,
}

impl Point {
    /// Every call and opening.
    pub const fn any() -> Self {
        Self {
            operation: None,
            step: None,
            path: None,
        }
    }

    /// Calls and openings of one operation.
    pub const fn on(operation: Operation) -> Self {
        let mut point = Self::any();
        point.operation = Some(operation);
        point
    }

    /// This step instead of calls and openings.
    pub const fn at(mut self, step: Step) -> Self {
        self.step = Some(step);
        self
    }

    /// Only where the predicate holds for the path, or for a listing's prefix.
    pub fn path(mut self, predicate: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        self.path = Some(Arc::new(predicate));
        self
    }

    /// Whether `call` is meant.
    #[must_use]
    pub fn matches(&self, call: &Call<'_>) -> bool {
        let step = match self.step {
            Some(step) => step == call.step(),
            None => matches!(call.step(), Step::Call | Step::Open),
        };
        step && self
            .operation
            .is_none_or(|operation| operation == call.operation())
            && self.path.as_ref().is_none_or(|path| path(call.path()))
    }

    /// Whether chunks are meant, so that readers have to be watched.
    pub(crate) fn is_chunk(&self) -> bool {
        self.step == Some(Step::Chunk)
    }
}

impl fmt::Debug for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Point")
            .field("operation", &self.operation)
            .field("step", &self.step)
            .field("path", &self.path.as_ref().map(|_| ".."))
            .finish()
    }
}

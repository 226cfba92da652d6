use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use storage_core::{Error, Operation};

use crate::{Break, Call, Intercept, Point};

type MakeError = Arc<dyn Fn() -> Error + Send + Sync>;

/// Breaks every matching read off after some bytes: by an error, or by just ending, as a connection
/// that is cut.
///
/// [`Reader`](storage_core::Reader) knows how long it should be, so a stream that just ends is
/// `Corrupt` to its caller. Of `read_ranges` the first range breaks.
#[derive(Clone)]
pub struct BrokenReads {
    after: u64,
    point: Point,
    error: Option<MakeError>,
}

impl BrokenReads {
    /// Fails after `bytes` of each matching read.
    pub fn failing(
        bytes: u64,
        point: Point,
        error: impl Fn() -> Error + Send + Sync + 'static,
    ) -> Self {
        Self {
            after: bytes,
            point,
            error: Some(Arc::new(error)),
        }
    }

    /// Ends each matching read after `bytes`.
    #[must_use]
    pub const fn truncating(bytes: u64, point: Point) -> Self {
        Self {
            after: bytes,
            point,
            error: None,
        }
    }
}

#[async_trait]
impl Intercept for BrokenReads {
    fn breaks(&self, call: &Call<'_>) -> Option<Break> {
        let meant = call.operation() == Operation::Read && self.point.matches(call);
        meant.then(|| Break {
            after: self.after,
            error: self.error.as_ref().map(|error| error()),
        })
    }
}

impl fmt::Debug for BrokenReads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BrokenReads")
            .field("after", &self.after)
            .field("point", &self.point)
            .field("fails", &self.error.is_some())
            .finish()
    }
}

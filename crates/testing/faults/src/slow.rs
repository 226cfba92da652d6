use std::time::Duration;

use async_trait::async_trait;
use storage_core::Result;

use crate::{Call, Intercept, Point};

/// Waits before every step that matches, in Tokio's time, which a test may pause.
///
/// ```
/// use std::time::Duration;
/// use storage_core::Operation;
/// use storage_faults::{Intercept, Point, Slow, Step};
/// use storage_memory::MemoryBackend;
///
/// let slow = Slow::new(Duration::from_millis(80), Point::on(Operation::List))
///     .and(Duration::from_millis(5), Point::on(Operation::Read).at(Step::Chunk));
/// let backend = slow.over(MemoryBackend::new());
/// # let _ = backend;
/// ```
#[derive(Debug, Clone)]
pub struct Slow(Vec<(Duration, Point)>);

impl Slow {
    /// Waits at one point.
    #[must_use]
    pub fn new(delay: Duration, point: Point) -> Self {
        Self(vec![(delay, point)])
    }

    /// Waits at a further point; delays of points that match the same step add up.
    #[must_use]
    pub fn and(mut self, delay: Duration, point: Point) -> Self {
        self.0.push((delay, point));
        self
    }
}

#[async_trait]
impl Intercept for Slow {
    async fn before(&self, call: &mut Call<'_>) -> Result<()> {
        let matching = self.0.iter().filter(|(_, point)| point.matches(call));
        let delay: Duration = matching.map(|(delay, _)| *delay).sum();
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        Ok(())
    }

    fn watches_readers(&self) -> bool {
        self.0.iter().any(|(_, point)| point.is_chunk())
    }
}

use std::time::Duration;

use google_cloud_storage::Error as SdkError;
use tokio::time::{Instant, sleep, timeout};

use crate::failure::Failure;
use crate::random;

const FIRST_DELAY: Duration = Duration::from_millis(100);
const LONGEST_DELAY: Duration = Duration::from_secs(5);

/// How often and how long a request is tried.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attempts {
    /// At least 1.
    pub(crate) most: u32,
    /// Time for one attempt.
    pub(crate) each: Duration,
}

/// What came of a request.
#[derive(Debug)]
pub(crate) struct Outcome<T> {
    pub(crate) result: Result<T, Failure>,
    /// Whether an attempt before the last one may have been acted on.
    pub(crate) ambiguous: bool,
}

impl Attempts {
    /// Tries until an attempt succeeds or fails for good. A request is passed that may be repeated:
    /// because it changes nothing, says the same each time, or is guarded by a condition.
    ///
    /// No attempt begins later than the time of two after the first began.
    pub(crate) async fn run<T, F>(self, what: &str, mut request: impl FnMut() -> F) -> Outcome<T>
    where
        F: Future<Output = Result<T, SdkError>>,
    {
        let last_start = Instant::now() + self.each * 2;
        let mut ambiguous = false;
        let mut tried = 0;
        loop {
            tried += 1;
            let result = match timeout(self.each, request()).await {
                Ok(answer) => answer.map_err(Failure::from),
                Err(_) => Err(Failure::timeout("the service did not answer")),
            };
            let Err(failure) = result else {
                return Outcome { result, ambiguous };
            };
            let delay = delay(tried);
            let again = failure.error.is_transient() && tried < self.most;
            if !again || Instant::now() + delay > last_start {
                let result = Err(failure);
                return Outcome { result, ambiguous };
            }
            ambiguous |= !failure.harmless;
            tracing::debug!(what, tried, error = %failure.error, "trying again");
            sleep(delay).await;
        }
    }
}

/// Between half of and a whole delay that doubles with each attempt.
pub(crate) fn delay(tried: u32) -> Duration {
    let doubled = FIRST_DELAY.saturating_mul(1 << tried.min(10).saturating_sub(1));
    let whole = doubled.min(LONGEST_DELAY);
    let part = (random::number() >> 11) as f64 / (1u64 << 53) as f64;
    whole.mul_f64(0.5 + part / 2.0)
}

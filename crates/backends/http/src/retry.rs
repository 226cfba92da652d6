use std::time::Duration;

use storage_core::Error;
use tokio::time::{Instant, sleep};

/// The wait before the second try; it doubles with every further one.
const FIRST: Duration = Duration::from_millis(100);

/// The longest wait that was not asked for by the server.
const LONGEST: Duration = Duration::from_secs(5);

/// How long one call may wait between its tries, all together.
const BUDGET: Duration = Duration::from_secs(60);

/// Tries that are left, and the time that may be spent on waiting between them.
#[derive(Debug)]
pub(crate) struct Patience {
    attempts: u32,
    tried: u32,
    until: Instant,
}

impl Patience {
    pub(crate) fn new(attempts: u32) -> Self {
        Self {
            attempts,
            tried: 0,
            until: Instant::now() + BUDGET,
        }
    }

    /// Starts to count anew, for there was progress.
    pub(crate) fn renew(&mut self) {
        *self = Self::new(self.attempts);
    }

    /// Waits before the next try: for as long as the server asked, else for a random time below one
    /// that doubles.
    ///
    /// # Errors
    /// `error`, when it is not transient or no try or not enough time is left.
    pub(crate) async fn wait(
        &mut self,
        error: Error,
        asked: Option<Duration>,
    ) -> Result<(), Error> {
        self.tried += 1;
        if !error.is_transient() || self.tried >= self.attempts {
            return Err(error);
        }
        let doubled = FIRST.saturating_mul(1 << self.tried.min(16)).min(LONGEST);
        let wait = asked.unwrap_or_else(|| doubled.mul_f64(fastrand::f64()));
        match Instant::now().checked_add(wait) {
            Some(then) if then <= self.until => {
                tracing::debug!(attempt = self.tried, ?wait, %error, "trying again");
                sleep(wait).await;
                Ok(())
            }
            _ => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use storage_core::ErrorKind;

    use super::*;

    fn busy() -> Error {
        Error::new(ErrorKind::RateLimited, "busy")
    }

    #[tokio::test(start_paused = true)]
    async fn tries_and_time_are_bounded() {
        let mut patience = Patience::new(3);
        assert!(patience.wait(busy(), None).await.is_ok());
        assert!(patience.wait(busy(), None).await.is_ok());
        assert!(patience.wait(busy(), None).await.is_err());

        let mut patience = Patience::new(100);
        let start = Instant::now();
        assert!(
            patience
                .wait(busy(), Some(Duration::from_secs(40)))
                .await
                .is_ok()
        );
        assert_eq!(
            start.elapsed().as_secs(),
            40,
            "what the server asks for is kept"
        );
        assert!(
            patience
                .wait(busy(), Some(Duration::from_secs(40)))
                .await
                .is_err()
        );
        assert!(patience.wait(busy(), Some(Duration::MAX)).await.is_err());
        assert_eq!(start.elapsed().as_secs(), 40, "a refusal does not wait");
    }

    #[tokio::test(start_paused = true)]
    async fn what_cannot_succeed_is_not_tried_again() {
        let error = Error::new(ErrorKind::PermissionDenied, "");
        assert!(Patience::new(9).wait(error, None).await.is_err());
    }
}

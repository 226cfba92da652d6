use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::time::{Instant, sleep_until};

use super::Bandwidth;

/// Unused time that may be made up for, so that a late wake-up costs no bandwidth.
const CREDIT: Duration = Duration::from_millis(50);

/// Shares of a limit are granted for this long at a time: a change of the limit takes effect within.
const SLICE: u64 = 20;

/// Hands out a [`Bandwidth`] to those who send, in the order they ask.
///
/// Dropping a call that waits ends the wait at once.
#[derive(Debug)]
pub struct Limiter {
    bandwidth: Bandwidth,
    /// When everything granted so far will have been sent.
    busy_until: Mutex<Instant>,
}

impl Limiter {
    /// Nothing granted yet.
    #[must_use]
    pub fn new(bandwidth: Bandwidth) -> Self {
        Self {
            bandwidth,
            busy_until: Mutex::new(Instant::now()),
        }
    }

    /// Waits until some of `wanted` bytes may be sent, and gives how many: at least one.
    pub async fn grant(&self, wanted: u64) -> u64 {
        let Some(rate) = self.bandwidth.at(SystemTime::now()) else {
            return wanted;
        };
        let granted = wanted.min((rate / SLICE).max(1));
        let time = Duration::from_secs_f64(granted as f64 / rate as f64);
        let now = Instant::now();
        let until = {
            // A panic under the lock leaves a time that is as good as any.
            let busy = self.busy_until.lock();
            let mut busy = busy.unwrap_or_else(PoisonError::into_inner);
            *busy = (*busy).max(now.checked_sub(CREDIT).unwrap_or(now)) + time;
            *busy
        };
        // Timers are no finer than this; what is not waited for now is waited for later.
        if until > now + Duration::from_millis(1) {
            sleep_until(until).await;
        }
        granted
    }

    /// Waits until so many bytes may be sent.
    pub async fn take(&self, mut bytes: u64) {
        while bytes > 0 {
            bytes -= self.grant(bytes).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    /// What eight workers are granted in ten seconds.
    async fn sent(rate: u64, piece: u64) -> u64 {
        let limiter = Arc::new(Limiter::new(Bandwidth::bytes_per_second(rate)));
        let sum = Arc::new(AtomicU64::new(0));
        let mut workers = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let (limiter, sum) = (Arc::clone(&limiter), Arc::clone(&sum));
            workers.spawn(async move {
                loop {
                    let granted = limiter.grant(piece).await;
                    sum.fetch_add(granted, Ordering::Relaxed);
                }
            });
        }
        // A little more, since timers wake up late.
        tokio::time::sleep(Duration::from_millis(10_020)).await;
        workers.shutdown().await;
        sum.load(Ordering::Relaxed)
    }

    #[tokio::test(start_paused = true)]
    async fn limits_from_one_byte_to_ten_gigabytes_a_second_hold_within_five_percent() {
        for rate in [1u64, 7, 1000, 123_456_789, 10_000_000_000] {
            let (found, expected) = (sent(rate, 16 << 20).await, rate * 10);
            let gap = found.abs_diff(expected);
            assert!(
                gap * 20 <= expected,
                "{rate}: {found} instead of {expected}"
            );
        }
    }
}

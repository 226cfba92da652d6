use std::future::Future;
use std::time::Duration;

use storage_core::Result;

/// The pause before the next try: 100 ms, doubled with each, at most 5 s.
pub(crate) fn pause(tries: u32) -> Duration {
    let doubled = 100u64.saturating_mul(1 << tries.saturating_sub(1).min(16));
    Duration::from_millis(doubled.min(5000))
}

/// Calls something idempotent until it succeeds, fails for good, or was tried `tries` times.
pub(crate) async fn retrying<T, F: Future<Output = Result<T>>>(
    tries: u32,
    mut call: impl FnMut() -> F,
) -> Result<T> {
    let mut tried = 0;
    loop {
        tried += 1;
        match call().await {
            Err(error) if error.is_transient() && tried < tries => {
                tokio::time::sleep(pause(tried)).await;
            }
            done => return done,
        }
    }
}

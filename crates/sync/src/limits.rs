//! Where a run stops by itself: bytes, time, failures.

use std::future::pending;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::{Options, SyncError};

/// What happens to transfers in progress when a run reaches
/// [`Options::max_transfer`](crate::Options::max_transfer) or
/// [`Options::max_duration`](crate::Options::max_duration).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cutoff {
    /// They end at once and publish nothing.
    #[default]
    Hard,
    /// They are completed, and none is started any more. The limit on bytes is passed by as much.
    Soft,
    /// None is started that would pass the limit on bytes. Time is judged as by `Soft`.
    Cautious,
}

/// The limit that was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reached {
    Bytes(u64),
    Time(Duration),
    Failures(u64),
}

/// The limits of one run, shared by its workers.
#[derive(Debug)]
pub(crate) struct Limits {
    max_transfer: Option<u64>,
    max_duration: Option<Duration>,
    deadline: Option<Instant>,
    max_errors: Option<u64>,
    cutoff: Cutoff,
    /// Bytes sent, or with `Cautious` those of the transfers that were let in.
    bytes: AtomicU64,
    reached: watch::Sender<Option<Reached>>,
}

impl Limits {
    pub(crate) fn new(options: &Options) -> Self {
        let now = Instant::now();
        Self {
            max_transfer: options.max_transfer,
            max_duration: options.max_duration,
            deadline: options.max_duration.and_then(|max| now.checked_add(max)),
            max_errors: options.max_errors,
            cutoff: options.cutoff,
            bytes: AtomicU64::new(0),
            reached: watch::Sender::new(None),
        }
    }

    /// Whether one more transfer, of so many bytes, may begin; or begin again, once it was admitted.
    pub(crate) fn admit(&self, bytes: u64, is_again: bool) -> bool {
        if self.deadline.is_some_and(|at| Instant::now() >= at) {
            self.out_of_time();
        }
        if self.is_reached() {
            return false;
        }
        let Some(max) = self.max_transfer else {
            return true;
        };
        let fits = match self.cutoff {
            Cutoff::Cautious => is_again || self.claim(bytes, max),
            Cutoff::Hard | Cutoff::Soft => bytes == 0 || self.bytes.load(Ordering::Relaxed) < max,
        };
        if !fits {
            self.reach(Reached::Bytes(max));
        }
        fits
    }

    fn claim(&self, bytes: u64, max: u64) -> bool {
        let add = |sum: u64| sum.checked_add(bytes).filter(|sum| *sum <= max);
        self.bytes
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, add)
            .is_ok()
    }

    /// Counts bytes that are about to be sent. With [`Cutoff::Hard`] it does not come back from the
    /// bytes that would pass the limit: the run ends.
    pub(crate) async fn sending(&self, bytes: u64) {
        let Some(max) = self.max_transfer else {
            return;
        };
        if self.cutoff == Cutoff::Cautious {
            return;
        }
        let sum = self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if sum > max && self.cutoff == Cutoff::Hard {
            self.reach(Reached::Bytes(max));
            pending::<()>().await;
        }
    }

    /// Takes note of how many failures there are.
    pub(crate) fn failures(&self, count: u64) {
        if let Some(max) = self.max_errors.filter(|max| count >= *max) {
            self.reach(Reached::Failures(max));
        }
    }

    /// Ends when nothing more is to be started.
    pub(crate) async fn reached(&self) {
        let mut reached = self.reached.subscribe();
        let time = async {
            match self.deadline {
                Some(deadline) => sleep_until(deadline).await,
                None => pending().await,
            }
        };
        tokio::select! {
            biased;
            // Cannot fail: the sender is in `self`.
            _ = reached.wait_for(Option::is_some) => {}
            () = time => self.out_of_time(),
        }
    }

    /// Ends when everything is to end at once.
    pub(crate) async fn cut(&self) {
        self.reached().await;
        let failures = matches!(*self.reached.borrow(), Some(Reached::Failures(_)));
        if failures || self.cutoff != Cutoff::Hard {
            pending::<()>().await;
        }
    }

    /// Why nothing more is started, if that is so.
    pub(crate) fn error(&self) -> Option<SyncError> {
        let reached = *self.reached.borrow();
        reached.map(|reached| match reached {
            Reached::Bytes(max) => SyncError::TransferLimit(max),
            Reached::Time(max) => SyncError::DurationLimit(max),
            Reached::Failures(max) => SyncError::ErrorLimit(max),
        })
    }

    pub(crate) fn is_reached(&self) -> bool {
        self.reached.borrow().is_some()
    }

    fn out_of_time(&self) {
        self.reach(Reached::Time(self.max_duration.unwrap_or_default()));
    }

    /// The first limit counts.
    fn reach(&self, limit: Reached) {
        self.reached.send_if_modified(|reached| {
            let first = reached.is_none();
            reached.get_or_insert(limit);
            first
        });
    }
}

use std::cell::Cell;

thread_local! {
    static ALLOWED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work` on this thread with the promise that nobody minds if it blocks.
///
/// A program that drives many small operations from threads of its own, such as a sync engine, saves
/// two thread hops an operation: a backend that would send blocking work elsewhere does it in place
/// ([`blocking_allowed`]). Never promise this of an async worker.
///
/// ```
/// use storage_core::{allow_blocking, blocking_allowed};
///
/// assert!(!blocking_allowed());
/// assert!(allow_blocking(blocking_allowed));
/// assert!(!blocking_allowed());
/// ```
pub fn allow_blocking<T>(work: impl FnOnce() -> T) -> T {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            ALLOWED.set(self.0);
        }
    }
    let _restore = Restore(ALLOWED.replace(true));
    work()
}

/// Whether the caller has promised, by [`allow_blocking`], that this thread may block.
#[must_use]
pub fn blocking_allowed() -> bool {
    ALLOWED.get()
}

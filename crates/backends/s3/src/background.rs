use std::future::{Future, poll_fn};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::runtime::Handle;
use tokio::task::JoinSet;

/// Work that goes on after the call that began it, such as aborting the upload of a dropped writer.
/// The backend owns it, and waits for it when it is closed.
#[derive(Debug, Default)]
pub(crate) struct Background {
    tasks: Mutex<JoinSet<()>>,
    /// Held by who waits: the set wakes one only.
    settling: tokio::sync::Mutex<()>,
}

impl Background {
    /// Starts `work`; `false` where no runtime is left to run it.
    pub(crate) fn start(&self, work: impl Future<Output = ()> + Send + 'static) -> bool {
        let Ok(runtime) = Handle::try_current() else {
            return false;
        };
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn_on(work, &runtime);
        true
    }

    /// Waits for all that was started. Dropped, it leaves the work as it is.
    pub(crate) async fn settle(&self) {
        let _alone = self.settling.lock().await;
        poll_fn(|context| self.poll_settled(context)).await;
    }

    fn poll_settled(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match tasks.poll_join_next(context) {
                Poll::Ready(Some(_)) => {}
                Poll::Ready(None) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn work_outlives_a_wait_that_is_dropped() {
        let background = Background::default();
        let (sender, receiver) = tokio::sync::oneshot::channel::<()>();
        let done = Arc::new(Mutex::new(false));
        let note = Arc::clone(&done);
        assert!(background.start(async move {
            let _ = receiver.await;
            *note.lock().unwrap() = true;
        }));
        tokio::select! {
            biased;
            () = background.settle() => panic!("the work has not ended"),
            () = tokio::task::yield_now() => {}
        }
        let release = async {
            tokio::task::yield_now().await;
            let _ = sender.send(());
        };
        tokio::join!(background.settle(), background.settle(), release);
        assert!(*done.lock().unwrap());
    }
}

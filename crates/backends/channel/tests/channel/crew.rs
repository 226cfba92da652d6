use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// Tasks that are polled one at a time, in an order that a seed decides, and only when they were
/// woken: one that is never woken shows as left over.
#[derive(Default)]
pub(crate) struct Crew {
    tasks: Vec<Task>,
    state: u64,
}

struct Task {
    future: Option<Pin<Box<dyn Future<Output = ()>>>>,
    woken: Arc<Woken>,
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Crew {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            tasks: Vec::new(),
            state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
        }
    }

    /// Adds a task; its number is for [`dismiss`](Self::dismiss).
    pub(crate) fn add(&mut self, future: impl Future<Output = ()> + 'static) -> usize {
        self.tasks.push(Task {
            future: Some(Box::pin(future)),
            woken: Arc::new(Woken(AtomicBool::new(true))),
        });
        self.tasks.len() - 1
    }

    /// Drops a task where it stands.
    pub(crate) fn dismiss(&mut self, task: usize) {
        self.tasks[task].future = None;
    }

    /// Polls one woken task; `false` when there is none.
    pub(crate) fn step(&mut self) -> bool {
        let woken =
            |task: &&mut Task| task.future.is_some() && task.woken.0.load(Ordering::Relaxed);
        let mut ready: Vec<&mut Task> = self.tasks.iter_mut().filter(woken).collect();
        if ready.is_empty() {
            return false;
        }
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        let chosen = self.state as usize % ready.len();
        let task = &mut ready[chosen];
        task.woken.0.store(false, Ordering::Relaxed);
        let waker = Waker::from(Arc::clone(&task.woken));
        if let Some(future) = &mut task.future
            && let Poll::Ready(()) = future.as_mut().poll(&mut Context::from_waker(&waker))
        {
            task.future = None;
        }
        true
    }

    /// Polls as long as there is a woken task, and gives the number of those that are left waiting.
    pub(crate) fn run(&mut self) -> usize {
        while self.step() {}
        self.tasks
            .iter()
            .filter(|task| task.future.is_some())
            .count()
    }
}

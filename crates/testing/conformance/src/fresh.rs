use std::any::Any;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use storage_core::{Backend, Result};

pub(crate) type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;
pub(crate) type Opener = Arc<dyn Fn() -> BoxFuture<Result<Arc<dyn Backend>>> + Send + Sync>;
pub(crate) type Look = Arc<dyn Fn() -> BoxFuture<Result<Vec<String>>> + Send + Sync>;

/// A backend with an empty store, and what the suite may do with that store beside it.
///
/// A plain backend converts into it. The more of the optional parts are given, the more rules apply.
pub struct Fresh {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) reopen: Option<Opener>,
    pub(crate) second: Option<Opener>,
    pub(crate) residue: Option<Look>,
    pub(crate) consuming: bool,
    /// Held until the rule has run.
    pub(crate) kept: Vec<Box<dyn Any + Send + Sync>>,
}

impl Fresh {
    /// A backend over an empty store.
    pub fn new(backend: impl Backend) -> Self {
        Self {
            backend: Arc::new(backend),
            reopen: None,
            second: None,
            residue: None,
            consuming: false,
            kept: Vec::new(),
        }
    }

    /// Keeps `guard`, such as a temporary directory, until the store is no longer needed.
    #[must_use]
    pub fn keep(mut self, guard: impl Any + Send + Sync) -> Self {
        self.kept.push(Box::new(guard));
        self
    }

    /// How to open the same store again after the backend was closed, as after a restart.
    #[must_use]
    pub fn reopen<F, B>(mut self, open: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<B>> + Send + 'static,
        B: Backend,
    {
        self.reopen = Some(opener(open));
        self
    }

    /// How to open the same store once more while the first backend is open, as another process
    /// would.
    #[must_use]
    pub fn second<F, B>(mut self, open: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<B>> + Send + 'static,
        B: Backend,
    {
        self.second = Some(opener(open));
        self
    }

    /// Says that objects are streams: reading one takes it away, and a write adds to what was not
    /// read. Rules then write again what they have read, where that is all they need; those that need
    /// [`Need::Lasting`](crate::Need::Lasting) objects do not apply.
    #[must_use]
    pub const fn consuming(mut self) -> Self {
        self.consuming = true;
        self
    }

    /// How to find what the store holds beside objects and directories: temporary files, unfinished
    /// uploads. Their names appear in the report.
    #[must_use]
    pub fn residue<F>(mut self, look: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Vec<String>>> + Send + 'static,
    {
        self.residue = Some(Arc::new(move || Box::pin(look())));
        self
    }
}

fn opener<F, B>(open: impl Fn() -> F + Send + Sync + 'static) -> Opener
where
    F: Future<Output = Result<B>> + Send + 'static,
    B: Backend,
{
    Arc::new(move || {
        let opened = open();
        Box::pin(async move { Ok(Arc::new(opened.await?) as Arc<dyn Backend>) })
    })
}

impl<B: Backend> From<B> for Fresh {
    fn from(backend: B) -> Self {
        Self::new(backend)
    }
}

impl fmt::Debug for Fresh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fresh")
            .field("backend", &self.backend)
            .field("reopen", &self.reopen.is_some())
            .field("second", &self.second.is_some())
            .field("residue", &self.residue.is_some())
            .field("consuming", &self.consuming)
            .finish_non_exhaustive()
    }
}

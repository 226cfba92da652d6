use std::sync::Arc;

use async_trait::async_trait;
use storage_core::{Backend, BackendFactory, Config, Error, Result, Uri};

use crate::ChannelBackend;
use crate::settings::{Missing, Mode, Settings, SlowReaders};

/// Settings for a [`ChannelBackend`], the same for all of its streams.
#[derive(Debug, Clone)]
#[must_use]
pub struct ChannelBuilder(Settings);

impl ChannelBuilder {
    pub(crate) const fn new() -> Self {
        Self(Settings::new())
    }

    /// Messages that a stream holds before its writers wait, at least 1; default 100. In
    /// [`Mode::Replay`], how many messages the writers may be ahead of the slowest open reader.
    ///
    /// Messages are of any size, so memory is bounded by this times the largest message.
    pub const fn capacity(mut self, messages: usize) -> Self {
        self.0.capacity = messages;
        self
    }

    /// Who gets which messages; default [`Mode::Queue`].
    pub const fn mode(mut self, mode: Mode) -> Self {
        self.0.mode = mode;
        self
    }

    /// What reading a path does that nobody writes; default [`Missing::NotFound`].
    pub const fn missing(mut self, missing: Missing) -> Self {
        self.0.missing = missing;
        self
    }

    /// What happens to slow readers of a [`Mode::Broadcast`]; default [`SlowReaders::Wait`].
    pub const fn slow_readers(mut self, slow_readers: SlowReaders) -> Self {
        self.0.slow_readers = Some(slow_readers);
        self
    }

    /// Bytes that each stream of a [`Mode::Replay`] keeps; default 64 MiB. A message that goes over
    /// it is `QuotaExceeded` and fails its writer.
    pub const fn history(mut self, bytes: u64) -> Self {
        self.0.history = Some(bytes);
        self
    }

    /// A new name space without streams.
    ///
    /// # Errors
    /// `Config` for a capacity of 0 and for a setting that the mode has no use for.
    pub fn build(self) -> Result<ChannelBackend> {
        let rules = self.0.rules()?;
        Ok(ChannelBackend::with_rules(rules, self.0.missing))
    }
}

/// Opens channel backends by name or as `channel://`; each time a new name space.
///
/// Keys: `capacity`, a number of messages; `mode`, one of `queue`, `broadcast`, `replay`; `missing`,
/// `not_found` or `wait`; `slow_readers`, `wait` or `skip`; `history`, a size such as `64MiB`. They
/// mean what the methods of [`ChannelBuilder`] of the same names do.
///
/// ```
/// use storage_channel::ChannelFactory;
/// use storage_core::Registry;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> storage_core::Result<()> {
/// let mut registry = Registry::new();
/// registry.register("channel", ChannelFactory)?;
/// let backend = registry.open_uri("channel://?mode=broadcast&missing=wait").await?;
/// assert_eq!(backend.name(), "channel");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct ChannelFactory;

#[async_trait]
impl BackendFactory for ChannelFactory {
    async fn open(&self, mut config: Config) -> Result<Arc<dyn Backend>> {
        let mut builder = ChannelBackend::builder();
        if let Some(messages) = config.take_parsed("capacity", "a number of messages from 1")? {
            builder = builder.capacity(messages);
        }
        if let Some(mode) = config.take_choice("mode", &MODES)? {
            builder = builder.mode(mode);
        }
        if let Some(missing) = config.take_choice("missing", &MISSING)? {
            builder = builder.missing(missing);
        }
        if let Some(slow_readers) = config.take_choice("slow_readers", &SLOW_READERS)? {
            builder = builder.slow_readers(slow_readers);
        }
        if let Some(bytes) = config.take_size("history")? {
            builder = builder.history(bytes);
        }
        config.finish()?;
        Ok(Arc::new(builder.build()?))
    }

    fn config_of(&self, uri: &Uri) -> Result<Config> {
        if !uri.authority().is_empty() || !matches!(uri.path(), "" | "/") {
            let message = "a channel URI has no name and no path: each opens a new name space";
            return Err(Error::config(message));
        }
        uri.to_config()
    }
}

const MODES: [(&str, Mode); 3] = [
    ("queue", Mode::Queue),
    ("broadcast", Mode::Broadcast),
    ("replay", Mode::Replay),
];

const MISSING: [(&str, Missing); 2] = [("not_found", Missing::NotFound), ("wait", Missing::Wait)];

const SLOW_READERS: [(&str, SlowReaders); 2] =
    [("wait", SlowReaders::Wait), ("skip", SlowReaders::Skip)];

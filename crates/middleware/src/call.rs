use bytes::Bytes;
use storage_core::{
    ListPage, ObjectInfo, Operation, Reader, WriteMode, WriteOptions, Writer, Written,
};

/// Which part of an operation a [`Policy`](crate::Policy) is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Step {
    /// The whole of a call that is over when it returns.
    Call,
    /// The opening of a reader or writer.
    Open,
    /// One chunk of a reader or writer.
    Chunk,
    /// The flush of a writer.
    Flush,
    /// The finish of a writer.
    Finish,
    /// The abort of a writer; not its drop.
    Abort,
}

/// When a call that failed may be made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Repeat {
    /// Whatever became of it: twice has the effect of once.
    Always,
    /// Only if it certainly had no effect.
    WithoutEffect,
    /// Never: what it needs is used up.
    Never,
}

/// One step on its way to a backend.
#[derive(Debug, Clone)]
pub struct Call<'a> {
    pub(crate) operation: Operation,
    pub(crate) step: Step,
    pub(crate) backend: &'static str,
    pub(crate) path: &'a str,
    pub(crate) target: Option<&'a str>,
    pub(crate) bytes: u64,
    pub(crate) repeat: Repeat,
    pub(crate) mutates: bool,
    pub(crate) server_side: bool,
}

impl<'a> Call<'a> {
    pub(crate) const fn new(
        operation: Operation,
        step: Step,
        backend: &'static str,
        path: &'a str,
    ) -> Self {
        Self {
            operation,
            step,
            backend,
            path,
            target: None,
            bytes: 0,
            repeat: Repeat::Always,
            mutates: false,
            server_side: false,
        }
    }

    /// A step of a stream: it cannot be repeated by itself.
    pub(crate) const fn of_stream(
        operation: Operation,
        step: Step,
        backend: &'static str,
        path: &'a str,
    ) -> Self {
        let mut call = Self::new(operation, step, backend, path);
        call.repeat = Repeat::Never;
        call.mutates = matches!(step, Step::Finish);
        call
    }

    pub(crate) const fn mutating(mut self) -> Self {
        self.mutates = true;
        self
    }

    /// Where a copy or rename goes.
    pub(crate) const fn to(mut self, target: &'a str) -> Self {
        self.target = Some(target);
        self
    }

    /// Work that the store does by itself for as long as it takes.
    pub(crate) const fn server_side(mut self) -> Self {
        self.server_side = true;
        self
    }

    pub(crate) const fn with_bytes(mut self, bytes: u64) -> Self {
        self.bytes = bytes;
        self
    }

    pub(crate) const fn repeat(mut self, repeat: Repeat) -> Self {
        self.repeat = repeat;
        self
    }

    /// Writes that are conditional, or add, may be repeated only if they had no effect.
    pub(crate) fn repeat_of(self, options: &WriteOptions) -> Self {
        let repeat = match options.clone().into_parts().mode {
            WriteMode::Replace => Repeat::Always,
            WriteMode::CreateNew | WriteMode::IfVersion(_) | WriteMode::Append => {
                Repeat::WithoutEffect
            }
        };
        self.repeat(repeat)
    }

    /// The operation.
    #[must_use]
    pub const fn operation(&self) -> Operation {
        self.operation
    }

    /// The part of the operation.
    #[must_use]
    pub const fn step(&self) -> Step {
        self.step
    }

    /// The name of the backend.
    #[must_use]
    pub const fn backend(&self) -> &'static str {
        self.backend
    }

    /// The path, or a listing's prefix; empty for the root, `flush` and `close`.
    #[must_use]
    pub const fn path(&self) -> &'a str {
        self.path
    }

    /// Where a copy or rename goes.
    #[must_use]
    pub const fn target(&self) -> Option<&'a str> {
        self.target
    }

    /// Bytes handed in, or asked for by `read_ranges`.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether the step may change the store.
    #[must_use]
    pub const fn mutates(&self) -> bool {
        self.mutates
    }

    /// Whether the store works by itself for as long as it takes: `copy`, `rename`, a recursive
    /// `rmdir`, `flush` and `close`.
    #[must_use]
    pub const fn is_server_side(&self) -> bool {
        self.server_side
    }

    /// When it may be made again.
    #[must_use]
    pub const fn repeatable(&self) -> Repeat {
        self.repeat
    }

    /// Bytes that really moved, of a reply that handed out `given`.
    #[must_use]
    pub const fn moved(&self, given: u64) -> u64 {
        match self.mutates || matches!(self.step, Step::Chunk) {
            true => self.bytes + given,
            false => given,
        }
    }

    /// Whether a call begins with it, rather than a stream going on.
    #[must_use]
    pub const fn begins(&self) -> bool {
        matches!(self.step, Step::Call | Step::Open)
    }
}

/// What a step gives back.
pub trait Reply: Send + Sized {
    /// Bytes handed out.
    fn bytes(&self) -> u64 {
        0
    }

    /// What a call says whose first try has had the effect already.
    #[doc(hidden)]
    fn of_an_earlier_try() -> Option<Self> {
        None
    }
}

impl Reply for String {}
impl Reply for Reader {}
impl Reply for Writer {}
impl Reply for Written {}
impl Reply for ObjectInfo {}
impl Reply for ListPage {}

impl Reply for () {
    fn of_an_earlier_try() -> Option<Self> {
        Some(())
    }
}

impl Reply for bool {
    fn of_an_earlier_try() -> Option<Self> {
        Some(true)
    }
}

impl Reply for Bytes {
    fn bytes(&self) -> u64 {
        self.len() as u64
    }
}

impl Reply for Option<Bytes> {
    fn bytes(&self) -> u64 {
        self.as_ref().map_or(0, |chunk| chunk.len() as u64)
    }
}

impl Reply for Vec<Bytes> {
    fn bytes(&self) -> u64 {
        self.iter().map(|part| part.len() as u64).sum()
    }
}

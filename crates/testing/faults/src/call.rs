use storage_core::{
    ListOptions, ObjectPath, Operation, PresignOptions, ReadOptions, RmdirOptions, WriteOptions,
};

/// Which part of an operation a hook is called for.
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

/// One step of an operation on its way to a backend.
#[derive(Debug, Clone)]
pub struct Call<'a> {
    operation: Operation,
    step: Step,
    path: &'a str,
    target: Option<&'a ObjectPath>,
    bytes: u64,
    pub(crate) options: Options,
}

/// What a call was given beside paths and bytes.
#[derive(Debug, Clone)]
pub(crate) enum Options {
    None,
    Read(ReadOptions),
    /// The number of ranges.
    Ranges(usize),
    Write(WriteOptions),
    List(ListOptions),
    Rmdir(RmdirOptions),
    Presign(PresignOptions),
}

impl<'a> Call<'a> {
    pub(crate) const fn new(operation: Operation, step: Step, path: &'a str) -> Self {
        Self {
            operation,
            step,
            path,
            target: None,
            bytes: 0,
            options: Options::None,
        }
    }

    pub(crate) fn with(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    pub(crate) const fn with_target(mut self, target: &'a ObjectPath) -> Self {
        self.target = Some(target);
        self
    }

    pub(crate) const fn with_bytes(mut self, bytes: u64) -> Self {
        self.bytes = bytes;
        self
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

    /// The path, or a listing's prefix; empty for the root, `flush` and `close`.
    #[must_use]
    pub const fn path(&self) -> &'a str {
        self.path
    }

    /// Where a copy or rename goes.
    #[must_use]
    pub const fn target(&self) -> Option<&'a ObjectPath> {
        self.target
    }

    /// Bytes that are handed in with this step.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether the call reads several ranges.
    #[must_use]
    pub const fn is_read_ranges(&self) -> bool {
        matches!(self.options, Options::Ranges(_))
    }

    /// The options of a read, which `before` may change.
    pub const fn read_options(&mut self) -> Option<&mut ReadOptions> {
        match &mut self.options {
            Options::Read(options) => Some(options),
            _ => None,
        }
    }

    /// The options of a write, copy or rename, which `before` may change on `Call` and `Open`.
    pub const fn write_options(&mut self) -> Option<&mut WriteOptions> {
        match &mut self.options {
            Options::Write(options) => Some(options),
            _ => None,
        }
    }

    /// The options of a listing, which `before` may change.
    pub const fn list_options(&mut self) -> Option<&mut ListOptions> {
        match &mut self.options {
            Options::List(options) => Some(options),
            _ => None,
        }
    }

    /// The options of a `rmdir`.
    #[must_use]
    pub const fn rmdir_options(&self) -> Option<RmdirOptions> {
        match &self.options {
            Options::Rmdir(options) => Some(*options),
            _ => None,
        }
    }

    /// The options in one line, as `Debug` shows them; empty where there are none.
    #[must_use]
    pub fn summary(&self) -> String {
        match &self.options {
            Options::None => String::new(),
            Options::Read(options) => format!("{options:?}"),
            Options::Ranges(count) => format!("{count} ranges"),
            Options::Write(options) => format!("{options:?}"),
            Options::List(options) => format!("{options:?}"),
            Options::Rmdir(options) => format!("{options:?}"),
            Options::Presign(options) => format!("{options:?}"),
        }
    }
}

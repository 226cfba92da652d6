use std::borrow::Cow;
use std::fmt;
use std::io;

use crate::{ObjectPath, Version};

/// What every operation of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Source = Box<dyn std::error::Error + Send + Sync>;

macro_rules! named_enum {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$vmeta:meta])* $variant:ident => $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name { $($(#[$vmeta])* $variant,)+ }

        impl $name {
            /// The lower-case words that [`Display`](fmt::Display) prints.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

named_enum! {
    /// What went wrong, in terms a program can act on.
    pub enum ErrorKind {
        /// There is no object, or for `rmdir` no directory, at the path.
        NotFound => "not found",
        /// `CreateNew` met an existing object.
        AlreadyExists => "already exists",
        /// The caller may not do this.
        PermissionDenied => "permission denied",
        /// The backend was closed before the call.
        BackendClosed => "backend closed",
        /// The path is malformed, or this backend cannot hold it.
        InvalidPath => "invalid path",
        /// The writer was finished, aborted or failed before the call.
        WriterClosed => "writer closed",
        /// The reader was closed before the call.
        ReaderClosed => "reader closed",
        /// The object's version is not the expected one; see [`Error::precondition`].
        PreconditionFailed => "precondition failed",
        /// `if_changed_from` named the version that the object still has.
        NotModified => "not modified",
        /// A byte range whose end lies before its start.
        InvalidRange => "invalid range",
        /// The path names a directory where an object is needed.
        IsDirectory => "is a directory",
        /// An object stands where the path needs a directory.
        NotDirectory => "not a directory",
        /// The directory is not empty.
        NotEmpty => "not empty",
        /// The backend cannot honour this call or option.
        Unsupported => "unsupported",
        /// No backend is registered under the name.
        UnknownBackend => "unknown backend",
        /// The service asks to slow down.
        RateLimited => "rate limited",
        /// The time allowed ran out.
        Timeout => "timed out",
        /// The connection failed.
        Network => "network failure",
        /// No space, or a quota or budget is used up.
        QuotaExceeded => "quota exceeded",
        /// Stored or transferred bytes are not what they should be.
        Corrupt => "corrupt data",
        /// The configuration is wrong.
        Config => "invalid configuration",
        /// The operating system reported a failure of another kind.
        Io => "I/O failure",
        /// None of the other kinds.
        Other => "failure",
    }
}

named_enum! {
    /// The operation an error belongs to.
    pub enum Operation {
        /// Opening a backend by name, configuration or URI.
        Open => "open",
        /// Reading an object, whole or in part.
        Read => "read",
        /// Writing an object in any mode.
        Write => "write",
        /// Deleting an object.
        Delete => "delete",
        /// Listing a prefix.
        List => "list",
        /// Asking whether an object exists.
        Exists => "exists",
        /// Asking for an object's attributes.
        Stat => "stat",
        /// Creating a directory.
        Mkdir => "mkdir",
        /// Removing a directory.
        Rmdir => "rmdir",
        /// Copying within one backend.
        Copy => "copy",
        /// Renaming within one backend.
        Rename => "rename",
        /// Changing an object's modified time.
        SetModified => "set modified time",
        /// Making a presigned URL.
        Presign => "presign",
        /// Making finished writes durable.
        Flush => "flush",
        /// Closing the backend.
        Close => "close",
    }
}

/// A failure: its kind, and the operation, backend and path it happened at.
///
/// One word wide, so `Result<T>` stays small. [`Display`](fmt::Display) is one line that names
/// operation, backend and path; [`Debug`](fmt::Debug) shows every field. The kind survives a round
/// trip through [`std::io::Error`].
///
/// ```
/// use storage_core::{Error, ErrorKind, ObjectPath, Operation};
///
/// let path = ObjectPath::new("a/b")?;
/// let error = Error::new(ErrorKind::NotFound, "no such object").at(Operation::Read, "file", &path);
/// assert_eq!(error.to_string(), r#"file: read "a/b": not found: no such object"#);
///
/// let through_io: Error = std::io::Error::from(error).into();
/// assert!(through_io.is_not_found());
/// # Ok::<(), Error>(())
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    operation: Option<Operation>,
    backend: Option<&'static str>,
    path: Option<Box<str>>,
    message: Cow<'static, str>,
    source: Option<Source>,
    transient: bool,
    outcome_unknown: bool,
    precondition: Option<(Option<Version>, Option<Version>)>,
}

macro_rules! predicates {
    ($($name:ident => $kind:ident,)+) => {
        $(
            #[doc = concat!("Whether the kind is [`ErrorKind::", stringify!($kind), "`].")]
            #[must_use]
            pub fn $name(&self) -> bool { self.kind() == ErrorKind::$kind }
        )+
    };
}

impl Error {
    /// An error of `kind`; `message` says what a person needs beyond kind, operation and path, and
    /// may be empty. Kinds `RateLimited`, `Timeout` and `Network` start out transient.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        let transient = matches!(
            kind,
            ErrorKind::RateLimited | ErrorKind::Timeout | ErrorKind::Network
        );
        Self(Box::new(Inner {
            kind,
            operation: None,
            backend: None,
            path: None,
            message: message.into(),
            source: None,
            transient,
            outcome_unknown: false,
            precondition: None,
        }))
    }

    /// An [`ErrorKind::NotFound`].
    pub fn not_found(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::NotFound, message)
    }

    /// An [`ErrorKind::Unsupported`]; `message` names what is not supported.
    pub fn unsupported(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Unsupported, message)
    }

    /// An [`ErrorKind::Config`].
    pub fn config(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Config, message)
    }

    /// An [`ErrorKind::PreconditionFailed`]: `expected` is what the caller asked for, `actual` what
    /// the object has (`None` where there is no object, or its version is not known).
    #[must_use]
    pub fn precondition_failed(expected: Option<Version>, actual: Option<Version>) -> Self {
        let show = |v: &Option<Version>| v.as_ref().map_or("none".to_owned(), |v| v.to_string());
        let message = format!(
            "expected version {}, found {}",
            show(&expected),
            show(&actual)
        );
        let mut error = Self::new(ErrorKind::PreconditionFailed, message);
        error.0.precondition = Some((expected, actual));
        error
    }

    /// Adds the place of the failure; what an inner layer has already said stays.
    #[must_use]
    pub fn at(self, operation: Operation, backend: &'static str, path: &ObjectPath) -> Self {
        self.on(operation, backend).with_path(path.as_str())
    }

    /// Adds operation and backend; what an inner layer has already said stays.
    #[must_use]
    pub fn on(mut self, operation: Operation, backend: &'static str) -> Self {
        self.0.operation.get_or_insert(operation);
        self.0.backend.get_or_insert(backend);
        self
    }

    /// Adds the path, or any name of the object that failed; the first one stays.
    #[must_use]
    pub fn with_path(mut self, path: impl AsRef<str>) -> Self {
        self.0.path.get_or_insert_with(|| path.as_ref().into());
        self
    }

    /// Replaces the path, where one was added: for wrappers that give objects other names.
    #[must_use]
    pub fn map_path(mut self, rename: impl FnOnce(&str) -> String) -> Self {
        self.0.path = self.0.path.map(|path| rename(&path).into());
        self
    }

    /// Adds the underlying error, which `source()` returns.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Source>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Sets whether the same call may succeed if tried again.
    #[must_use]
    pub fn with_transient(mut self, transient: bool) -> Self {
        self.0.transient = transient;
        self
    }

    /// Marks a failure after which the operation may nevertheless have happened, such as a lost reply.
    #[must_use]
    pub fn with_outcome_unknown(mut self) -> Self {
        self.0.outcome_unknown = true;
        self
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The operation that failed, where known.
    #[must_use]
    pub fn operation(&self) -> Option<Operation> {
        self.0.operation
    }

    /// The name of the backend that failed, where known.
    #[must_use]
    pub fn backend(&self) -> Option<&'static str> {
        self.0.backend
    }

    /// The path or name that the failure is about, where known.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        self.0.path.as_deref()
    }

    /// The message alone, without kind, operation and path.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Whether the same call may succeed if tried again. A property of the failure alone: whether a
    /// second try is safe depends on the operation.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.0.transient
    }

    /// Whether the operation may have happened in spite of the error.
    #[must_use]
    pub fn outcome_unknown(&self) -> bool {
        self.0.outcome_unknown
    }

    /// Expected and actual version of a [`ErrorKind::PreconditionFailed`].
    #[must_use]
    pub fn precondition(&self) -> Option<(Option<&Version>, Option<&Version>)> {
        self.0
            .precondition
            .as_ref()
            .map(|(e, a)| (e.as_ref(), a.as_ref()))
    }

    predicates! {
        is_not_found => NotFound,
        is_already_exists => AlreadyExists,
        is_permission_denied => PermissionDenied,
        is_backend_closed => BackendClosed,
        is_invalid_path => InvalidPath,
        is_writer_closed => WriterClosed,
        is_precondition_failed => PreconditionFailed,
        is_not_modified => NotModified,
        is_invalid_range => InvalidRange,
        is_directory => IsDirectory,
        is_not_directory => NotDirectory,
        is_not_empty => NotEmpty,
        is_unsupported => Unsupported,
        is_timeout => Timeout,
        is_quota_exceeded => QuotaExceeded,
        is_corrupt => Corrupt,
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        if let Some(backend) = inner.backend {
            write!(f, "{backend}: ")?;
        }
        match (inner.operation, inner.path.as_deref()) {
            (Some(operation), Some(path)) => write!(f, "{operation} {path:?}: ")?,
            (Some(operation), None) => write!(f, "{operation}: ")?,
            (None, Some(path)) => write!(f, "{path:?}: ")?,
            (None, None) => {}
        }
        write!(f, "{}", inner.kind)?;
        if !inner.message.is_empty() {
            write!(f, ": {}", inner.message)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        f.debug_struct("Error")
            .field("kind", &inner.kind)
            .field("operation", &inner.operation)
            .field("backend", &inner.backend)
            .field("path", &inner.path)
            .field("message", &inner.message)
            .field("transient", &inner.transient)
            .field("outcome_unknown", &inner.outcome_unknown)
            .field("precondition", &inner.precondition)
            .field("source", &inner.source)
            .finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match error.kind() {
            ErrorKind::NotFound => io::ErrorKind::NotFound,
            ErrorKind::AlreadyExists => io::ErrorKind::AlreadyExists,
            ErrorKind::PermissionDenied => io::ErrorKind::PermissionDenied,
            ErrorKind::InvalidPath | ErrorKind::InvalidRange | ErrorKind::Config => {
                io::ErrorKind::InvalidInput
            }
            ErrorKind::IsDirectory => io::ErrorKind::IsADirectory,
            ErrorKind::NotDirectory => io::ErrorKind::NotADirectory,
            ErrorKind::NotEmpty => io::ErrorKind::DirectoryNotEmpty,
            ErrorKind::Unsupported => io::ErrorKind::Unsupported,
            ErrorKind::Timeout => io::ErrorKind::TimedOut,
            ErrorKind::QuotaExceeded => io::ErrorKind::QuotaExceeded,
            ErrorKind::Corrupt => io::ErrorKind::InvalidData,
            ErrorKind::BackendClosed | ErrorKind::WriterClosed | ErrorKind::ReaderClosed => {
                io::ErrorKind::BrokenPipe
            }
            _ => io::ErrorKind::Other,
        };
        io::Error::new(kind, error)
    }
}

impl From<io::Error> for Error {
    /// Gives back the [`Error`] inside, or maps the operating system's kind.
    fn from(error: io::Error) -> Self {
        let error = match error.downcast::<Error>() {
            Ok(ours) => return ours,
            Err(error) => error,
        };
        let (kind, transient) = match error.kind() {
            io::ErrorKind::NotFound => (ErrorKind::NotFound, false),
            io::ErrorKind::AlreadyExists => (ErrorKind::AlreadyExists, false),
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                (ErrorKind::PermissionDenied, false)
            }
            io::ErrorKind::InvalidFilename => (ErrorKind::InvalidPath, false),
            io::ErrorKind::IsADirectory => (ErrorKind::IsDirectory, false),
            io::ErrorKind::NotADirectory => (ErrorKind::NotDirectory, false),
            io::ErrorKind::DirectoryNotEmpty => (ErrorKind::NotEmpty, false),
            io::ErrorKind::Unsupported => (ErrorKind::Unsupported, false),
            io::ErrorKind::TimedOut => (ErrorKind::Timeout, true),
            io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::FileTooLarge => (ErrorKind::QuotaExceeded, false),
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
                (ErrorKind::Corrupt, false)
            }
            io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::NotConnected
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::NetworkDown
            | io::ErrorKind::BrokenPipe => (ErrorKind::Network, true),
            io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock => (ErrorKind::Io, true),
            _ => (ErrorKind::Io, false),
        };
        Error::new(kind, error.to_string())
            .with_transient(transient)
            .with_source(error)
    }
}

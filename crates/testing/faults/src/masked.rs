use async_trait::async_trait;
use storage_core::{
    ByteRange, Error, Features, ObjectInfo, Operation, ReadOptions, ReadParts, Result,
    WriteOptions, Written,
};

use crate::{Call, Intercept};

/// Takes features away from a backend: their flags are false, their calls and options are
/// `Unsupported` or, where the policy of a write allows it, left out, and what they would show in
/// an [`ObjectInfo`] is not there.
///
/// A backend that has directories behaves as one that has them even when the flag is masked: mask
/// it over a flat store. Over a basic backend it does nothing but refuse.
///
/// ```
/// use storage_core::{BackendExt, Features};
/// use storage_faults::{Intercept, Masked};
/// use storage_memory::MemoryBackend;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> storage_core::Result<()> {
/// let backend = Masked::new(Features::NONE.with_append(true)).over(MemoryBackend::new());
/// assert!(!backend.extended()?.features().append);
/// assert!(backend.append("log", "line").await.unwrap_err().is_unsupported());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Masked {
    hidden: Features,
}

impl Masked {
    /// Hides the flags that are true in `hidden`, and `if_version` with `versions`: without versions
    /// there is none to name. Of `directory_times` only the flag is hidden.
    #[must_use]
    pub const fn new(mut hidden: Features) -> Self {
        hidden.if_version |= hidden.versions;
        hidden.directory_times |= hidden.directories | hidden.set_modified;
        Self { hidden }
    }

    /// Flags that are not hidden.
    fn left(self, from: Features) -> Features {
        let mut left = from;
        for (name, hidden) in self.hidden.iter() {
            if hidden {
                left.set(name, false);
            }
        }
        left
    }

    fn check_call(self, call: &Call<'_>) -> Result<()> {
        let hidden = self.hidden;
        let recursive = call
            .rmdir_options()
            .is_some_and(|options| options.recursive);
        let (feature, refused) = match call.operation() {
            Operation::Mkdir => ("directories", hidden.directories),
            Operation::Rmdir if recursive => ("purge", hidden.purge),
            Operation::Rmdir => ("directories", hidden.directories),
            Operation::Copy => ("copy", hidden.copy),
            Operation::Rename => ("rename", hidden.rename),
            Operation::SetModified => ("set_modified", hidden.set_modified),
            Operation::Presign => ("presign", hidden.presign),
            Operation::Read if call.is_read_ranges() => ("range_read", hidden.range_read),
            _ => return Ok(()),
        };
        if refused {
            return Err(lacks(feature));
        }
        Ok(())
    }

    fn check_read(self, options: ReadOptions) -> Result<()> {
        let ReadParts {
            range,
            if_version,
            if_changed_from,
            verify,
        } = options.into_parts();
        let hidden = self.hidden;
        if hidden.range_read && range != ByteRange::Full {
            return Err(lacks("range_read"));
        }
        if hidden.versions && (if_version.is_some() || if_changed_from.is_some()) {
            return Err(lacks("versions"));
        }
        if hidden.hashes && verify {
            return Err(lacks("hashes"));
        }
        Ok(())
    }
}

fn lacks(feature: &'static str) -> Error {
    Error::unsupported(format!("this backend has no feature `{feature}`"))
}

/// The options with what the features lack refused or left out.
fn restricted(options: WriteOptions, features: Features) -> Result<WriteOptions> {
    let mut parts = options.into_parts();
    parts.restrict_to(features)?;
    Ok(parts.into())
}

#[async_trait]
impl Intercept for Masked {
    async fn before(&self, call: &mut Call<'_>) -> Result<()> {
        self.check_call(call)?;
        if let Some(options) = call.read_options() {
            self.check_read(options.clone())?;
        }
        if let Some(options) = call.write_options() {
            *options = restricted(std::mem::take(options), self.left(Features::ALL))?;
        }
        if let Some(options) = call.list_options().filter(|_| self.hidden.directories) {
            *options = std::mem::take(options).directories(false);
        }
        Ok(())
    }

    fn features(&self, inner: Features) -> Features {
        self.left(inner)
    }

    fn edit_info(&self, info: &mut ObjectInfo) {
        let hidden = self.hidden;
        if hidden.versions {
            info.version = None;
        }
        if hidden.content_type {
            (info.content_type, info.cache_control) = (None, None);
        }
        if hidden.custom_metadata {
            info.metadata.clear();
        }
        if hidden.hashes {
            info.hashes = Default::default();
        }
    }

    fn edit_written(&self, written: &mut Written) {
        if self.hidden.versions {
            written.version = None;
        }
    }
}

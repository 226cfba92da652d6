use std::fmt;

use storage_core::Error;

/// A layer that is known but not compiled in, and the Cargo feature of `omnistorage` that would.
///
/// It is the source of an error of kind `Unsupported`:
///
/// ```
/// use std::error::Error as _;
/// use omnistorage::pipeline::MissingFeature;
///
/// # fn show(error: omnistorage::Error) {
/// if let Some(missing) = error.source().and_then(|source| source.downcast_ref::<MissingFeature>()) {
///     println!("build with --features {}", missing.feature());
/// }
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MissingFeature(&'static str);

impl MissingFeature {
    /// The feature's name.
    #[must_use]
    pub const fn feature(self) -> &'static str {
        self.0
    }

    /// The error for a layer that this feature would compile in.
    pub(super) fn error(feature: &'static str) -> Error {
        let missing = Self(feature);
        Error::unsupported(missing.to_string()).with_source(missing)
    }
}

impl fmt::Display for MissingFeature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(feature) = self;
        write!(
            f,
            "{feature} is not compiled in; enable the Cargo feature {feature:?}"
        )
    }
}

impl std::error::Error for MissingFeature {}

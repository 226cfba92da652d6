//! Encryption of everything before it reaches the store.

mod attributes;
mod base32;
mod extended;
mod format;
mod key;
mod listing;
mod names;
mod naming;
mod opener;
mod sealed;
mod sink;

use storage_core::Backend;

use crate::layer::Layer;
use crate::renamed::Renamed;
use names::NameCipher;

pub use key::{KeyId, MasterKey};
pub use naming::EncryptedNames;
pub use sealed::Sealed;

/// Encrypts contents, attributes and names, so that whoever has the store and not the key learns
/// nothing but what is listed here. The format is specified in `docs/design/encryption.md`.
///
/// - **Contents**: segments of 64 KiB under ChaCha20-Poly1305 with a random key an object. A change, a
///   cut, bytes that are added, segments in another order or of another object are `Corrupt`, at the
///   latest where they are read; what is given before is what was written. Ranges are read without the
///   rest.
/// - **Attributes** (content type, cache control, metadata): one encrypted value of the store's
///   metadata. Where the store has none they are refused.
/// - **Names**: each segment by AES-SIV, in base 32, so up to 143 bytes a segment on a store that takes
///   255. [`names(false)`](Self::names) leaves them as they are.
/// - **What is left to see**: the exact size of each object, the shape of the tree, the lengths of
///   names, which segments of names are equal, times, versions, whether there are attributes and how
///   long they are in steps of 64 bytes, which objects are copies, and which key (by its
///   [`id`](MasterKey::id)). Whoever can write to the store can exchange whole objects, or their
///   attributes, or bring old ones back, unnoticed.
/// - **Another key** is `PermissionDenied`, naming both ids. Names that are not encrypted under the key
///   fail listings, so that a wrong key never looks like an empty store; see
///   [`skip_foreign`](Self::skip_foreign).
/// - `append`, `hashes` and `presign` are gone from the features; copies and renames stay within the
///   store. Listings decrypt and sort a directory at a time, and hold those on the way down in memory;
///   a recursive listing costs a request a directory.
/// - A read of a part costs two requests. A store without versions cannot pin the two to one object: a
///   read during a write may then fail as `Corrupt`, and never gives wrong bytes.
#[derive(Debug, Clone)]
pub struct Encryption {
    key: MasterKey,
    names: bool,
    skip_foreign: bool,
}

impl Encryption {
    /// Encrypts under `key`.
    #[must_use]
    pub const fn new(key: MasterKey) -> Self {
        Self {
            key,
            names: true,
            skip_foreign: false,
        }
    }

    /// Whether names are encrypted; default true. All writers of a store have to say the same.
    #[must_use]
    pub const fn names(mut self, names: bool) -> Self {
        self.names = names;
        self
    }

    /// Whether listings leave out names that are not encrypted under the key, instead of failing with
    /// `PermissionDenied`; default false.
    #[must_use]
    pub const fn skip_foreign(mut self, skip: bool) -> Self {
        self.skip_foreign = skip;
        self
    }
}

impl<B: Backend> Layer<B> for Encryption {
    type Layered = Renamed<Sealed<B>, EncryptedNames>;

    fn over(self, inner: B) -> Self::Layered {
        let cipher = self.names.then(|| NameCipher::new(&self.key));
        let names = EncryptedNames::new(cipher, self.key.id(), self.skip_foreign);
        Renamed::new(Sealed::new(inner, &self.key), names)
    }
}

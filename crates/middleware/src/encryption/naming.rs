use storage_core::{
    Backend, Error, ErrorKind, ListOptions, ListPage, NameFolding, ObjectPath, Prefix, Result,
};

use super::key::KeyId;
use super::listing::{Kept, Listing};
use super::names::NameCipher;
use crate::renamed::Naming;

/// The names of an encrypted store: encrypted too, or as they are.
#[derive(Debug)]
pub struct EncryptedNames {
    cipher: Option<NameCipher>,
    id: KeyId,
    skip_foreign: bool,
    kept: Kept,
}

impl EncryptedNames {
    pub(super) fn new(cipher: Option<NameCipher>, id: KeyId, skip_foreign: bool) -> Self {
        Self {
            cipher,
            id,
            skip_foreign,
            kept: Kept::default(),
        }
    }
}

impl Naming for EncryptedNames {
    fn inner(&self, path: &ObjectPath) -> Result<ObjectPath> {
        match &self.cipher {
            None => Ok(path.clone()),
            Some(cipher) => ObjectPath::new(cipher.seal(path)?),
        }
    }

    fn outer(&self, path: &str) -> Option<String> {
        let Some(cipher) = &self.cipher else {
            return Some(path.to_owned());
        };
        match path.strip_suffix('/') {
            Some(prefix) => Some(cipher.open(prefix)? + "/"),
            None => cipher.open(path),
        }
    }

    async fn list<B: Backend>(
        &self,
        below: &B,
        prefix: &Prefix,
        options: ListOptions,
    ) -> Result<ListPage> {
        let Some(cipher) = &self.cipher else {
            return below.list(prefix, options).await;
        };
        let listing = Listing {
            below,
            cipher,
            skip_foreign: self.skip_foreign,
            kept: &self.kept,
        };
        listing.page(prefix, options).await
    }

    fn identity(&self, below: String) -> String {
        match self.cipher {
            None => below,
            Some(_) => format!("encrypted-{}:{below}", self.id),
        }
    }

    fn folding(&self, below: NameFolding) -> NameFolding {
        match self.cipher {
            None => below,
            // What is encrypted has one case.
            Some(_) => NameFolding::Exact,
        }
    }
}

/// The error for a name that is not encrypted under the key.
pub(super) fn foreign(path: &str) -> Error {
    let message = "the name is not encrypted under this key: the key is another one, or the object \
                   does not belong to the encrypted store";
    Error::new(ErrorKind::PermissionDenied, message).with_path(path)
}

//! Showing what lies below a prefix as a store of its own.

use storage_core::{Backend, ListOptions, ListPage, NameFolding, ObjectPath, Prefix, Result};

use crate::layer::Layer;
use crate::renamed::{Naming, Renamed};

/// Shows what lies below a prefix as a store of its own, which nothing outside of it can be reached
/// from. Errors name paths as they are above.
#[derive(Debug, Clone)]
pub struct Prefixed(Prefix);

impl Prefixed {
    /// Shows what lies below `prefix`.
    #[must_use]
    pub const fn new(prefix: Prefix) -> Self {
        Self(prefix)
    }
}

impl<B: Backend> Layer<B> for Prefixed {
    type Layered = Renamed<B, Self>;

    fn over(self, inner: B) -> Self::Layered {
        Renamed::new(inner, self)
    }
}

impl Naming for Prefixed {
    fn inner(&self, path: &ObjectPath) -> Result<ObjectPath> {
        self.0.join(path)
    }

    fn outer(&self, path: &str) -> Option<String> {
        path.strip_prefix(self.0.as_str()).map(str::to_owned)
    }

    /// The order stays, and with it cursors do.
    async fn list<B: Backend>(
        &self,
        below: &B,
        prefix: &Prefix,
        options: ListOptions,
    ) -> Result<ListPage> {
        let inner = Prefix::new(format!("{}{prefix}", self.0))?;
        let start = options.clone().into_parts().start_after;
        let options = match start {
            Some(key) => options.start_after(format!("{}{key}", self.0)),
            None => options,
        };
        let mut page = below.list(&inner, options).await?;
        for entry in &mut page.entries {
            if let Some(rest) = entry.path.strip_prefix(&self.0) {
                entry.path = ObjectPath::new(rest)?;
            }
        }
        Ok(page)
    }

    fn identity(&self, below: String) -> String {
        below + &self.0
    }

    fn folding(&self, below: NameFolding) -> NameFolding {
        below
    }
}

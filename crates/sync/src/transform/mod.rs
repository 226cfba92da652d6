//! Objects that are changed on the way.

mod view;

use std::fmt;
use std::sync::Arc;

use storage_core::{ObjectPath, Reader, Result, async_trait};

use crate::Tree;
use view::View;

/// Changes objects on the way from a source: what they are called, what they hold, or both.
///
/// ```
/// use storage_core::{ObjectPath, Result};
/// use storage_sync::Transform;
///
/// /// `a/b.txt` becomes `a/b.txt.bak`.
/// #[derive(Debug)]
/// struct Backup;
///
/// impl Transform for Backup {
///     fn rename(&self, path: &ObjectPath) -> Result<ObjectPath> {
///         ObjectPath::new(format!("{path}.bak"))
///     }
/// }
/// ```
#[async_trait]
pub trait Transform: fmt::Debug + Send + Sync + 'static {
    /// What an object is called at the destination. Two objects may not get one name: the run fails
    /// then, before anything is done.
    ///
    /// # Errors
    /// Any: the run fails with it.
    fn rename(&self, path: &ObjectPath) -> Result<ObjectPath> {
        Ok(path.clone())
    }

    /// Whether the content of an object changes.
    fn changes_content(&self, path: &ObjectPath) -> bool {
        let _ = path;
        false
    }

    /// The content at the destination: called for objects of which
    /// [`changes_content`](Self::changes_content) is true. The same content has to come to the same
    /// each time, or nothing can be checked.
    ///
    /// # Errors
    /// Any, here or from the reader: the object fails with it.
    async fn transform(&self, path: &ObjectPath, content: Reader) -> Result<Reader> {
        let _ = path;
        Ok(content)
    }
}

impl Tree {
    /// The tree as `transform` makes it: the source of a job that changes objects on the way.
    ///
    /// An object whose content changes has no size until it is sent: it is taken for unchanged when
    /// the destination has its modified time, and compared by content where times are not kept or a
    /// check is asked for. A destination that keeps times therefore gets nothing in a second run.
    ///
    /// The listing is read as a whole at the beginning, for new names sort in another way; it takes
    /// about 300 bytes an object. Jobs refuse filters with such a tree, and empty directories are
    /// not created.
    #[must_use]
    pub fn transformed(self, transform: Arc<dyn Transform>) -> Self {
        let (backend, prefix) = (Arc::clone(self.backend()), self.prefix().clone());
        self.seen_through(Arc::new(View::new(backend, prefix, transform)))
    }
}

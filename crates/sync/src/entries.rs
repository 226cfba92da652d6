use storage_core::{Links, ObjectInfo};

use crate::selection::Bounds;
use crate::tree::Side;
use crate::walk::{Specials, Walk, Wanted};
use crate::{Options, SyncError, Tree};

/// What a filter selects of a tree, in the order of the keys: what [`Tree::entries`] returns.
///
/// Holds a few pages. Dropping it ends the walk.
#[derive(Debug)]
pub struct TreeEntries {
    walk: Walk,
    side: Side,
    bounds: Option<Bounds>,
}

impl Tree {
    /// Lists what [`Options::filter`] selects, with directories if they are asked for; of the other
    /// options `page_size` and `request_tries` count. Links are given as what they lead to. Excluded
    /// directories are not listed.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    #[must_use]
    pub fn entries(&self, directories: bool, options: &Options) -> TreeEntries {
        let side = Side::new(self.clone());
        let wanted = Wanted {
            directories: directories && side.features.directories,
            specials: Specials::LeaveOut,
            links: Links::Resolve,
            filter: options.filter.as_ref(),
        };
        TreeEntries {
            walk: Walk::start(&side, wanted, options),
            bounds: Bounds::of(options),
            side,
        }
    }
}

impl TreeEntries {
    /// The next entry, `None` at the end.
    ///
    /// # Errors
    /// Those of the listing, which end it.
    pub async fn next(&mut self) -> Result<Option<ObjectInfo>, SyncError> {
        loop {
            self.walk.fill().await?;
            let Some(info) = self.walk.take() else {
                return Ok(None);
            };
            match &self.bounds {
                Some(bounds) if !bounds.keep(&self.side, &info).await? => {}
                _ => return Ok(Some(info)),
            }
        }
    }
}

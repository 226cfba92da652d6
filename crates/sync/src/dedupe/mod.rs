//! Duplicates by content: found, told, and on request deleted but for one.

mod drive;
mod packed;

use std::sync::Arc;

use crate::tree::Side;
use crate::{Options, Run, SyncError, Tree};
use drive::Driver;

/// Which of several objects of the same content stays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Keep {
    /// All: duplicates are only reported.
    #[default]
    All,
    /// The first in order of the paths.
    First,
    /// The one modified last; of several, the first.
    Newest,
    /// The one modified first; of several, the first.
    Oldest,
}

/// A search for objects of the same content in one tree, ready to be [run](Self::run).
///
/// Objects of equal size are compared by a cryptographic hash: one that the store keeps, else BLAKE3
/// of the bytes. An object is deleted only if it and the one that stays are, at that moment, still
/// what was compared, and the one that stays is never deleted. Two names of one file are no
/// duplicates, where the store can tell: deleting one would gain nothing, or lose both.
///
/// Memory is packed: the length of its path and about 40 bytes for each object.
///
/// ```
/// use storage_sync::{Dedupe, Keep, Options, SyncError, Tree};
///
/// async fn shrink(photos: Tree) -> Result<u64, SyncError> {
///     let found = Dedupe::new(photos, Keep::Oldest, Options::default())?;
///     Ok(found.run().summary().await?.deleted)
/// }
/// ```
#[derive(Debug)]
pub struct Dedupe {
    side: Side,
    keep: Keep,
    options: Options,
}

impl Dedupe {
    /// Checks that the options make sense: `filter`, `checkers`, `transfers` (deletions at a time),
    /// `dry_run`, `confirm`, `download` (compare the bytes as well, before a deletion),
    /// `request_tries` and `page_size` are honoured.
    ///
    /// # Errors
    /// [`SyncError::Option`] for an option out of its bounds, and for any other that is set.
    pub fn new(tree: Tree, keep: Keep, options: Options) -> Result<Self, SyncError> {
        options.check(crate::Command::HashSum(storage_core::HashType::Blake3))?;
        let honoured = Options::default()
            .filter(options.filter.clone())
            .checkers(options.checkers)
            .transfers(options.transfers)
            .dry_run(options.dry_run)
            .confirm(options.confirm.clone())
            .download(options.download)
            .request_tries(options.request_tries)
            .page_size(options.page_size);
        if options != honoured || tree.is_view() {
            return Err(SyncError::Option {
                option: "options",
                reason:
                    "one that is set, or a transformed tree, is not for a search for duplicates"
                        .into(),
            });
        }
        let side = Side::new(tree);
        Ok(Self {
            side,
            keep,
            options,
        })
    }

    /// Starts in the background. The [`Run`] has to be polled for it to get on. Duplicates are told
    /// as [`Event::Duplicate`](crate::Event::Duplicate), and counted in the summary.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    #[must_use]
    pub fn run(self) -> Run {
        Run::of(move |tally, events, cancel| {
            Driver {
                search: Arc::new(self),
                tally,
                events,
                cancel,
            }
            .drive()
        })
    }
}

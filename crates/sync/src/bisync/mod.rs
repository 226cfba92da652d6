//! Two-way synchronisation: what changed on either side since the last run goes to the other.

mod apply;
mod decision;
mod drive;
mod error;
mod frames;
mod journal;
mod keep_both;
mod layers;
mod lock;
mod names;
mod options;
mod pair;
mod planner;
mod print;
mod process;
mod record;
mod replica;
mod scan;
mod settle;
mod store;

use std::sync::Arc;

pub use error::BisyncError;
pub use options::{BisyncOptions, Loser, Prefer, Resolve};
pub use replica::Replica;

use crate::run::Run;
use crate::tree::Side;
use crate::{SyncError, Tree};
use drive::Driver;
use pair::Pair;
use store::Store;

/// A two-way synchronisation of two trees, ready to be [run](Self::run).
///
/// It remembers what both sides had when they were last the same: the *state*, which lives in a tree
/// of its own. A later run compares both sides with it, so that a file which is missing on one side
/// is known to be new or deleted, and one that differs to be changed here, there, or on both sides:
///
/// - What is new or changed on one side goes to the other; what was deleted is deleted there.
/// - A change beats a deletion: what was changed here and deleted there is sent back.
/// - The same change on both sides is none. Different changes are a conflict: [`BisyncOptions`].
///
/// The first run needs [`BisyncOptions::resync`]. Nothing is replaced or deleted but the very version
/// that was compared: what changes during the run is left for the next one. An object that fails is
/// left as it was remembered, so that the next run tries again. The state is replaced atomically at
/// the end; a run that breaks off, by `kill -9` or a power cut, leaves journals that the next one
/// puts together.
///
/// ```
/// use std::sync::Arc;
/// use storage_core::{Backend, Prefix};
/// use storage_sync::{Bisync, BisyncOptions, Prefer, SyncError, Tree};
///
/// async fn meet(here: Arc<dyn Backend>, there: Arc<dyn Backend>, local: Arc<dyn Backend>,
///     is_first: bool) -> Result<u64, SyncError> {
///     let state = Tree::new(local, Prefix::new("state/here-and-there")?);
///     let mut options = BisyncOptions::default();
///     options.resync = is_first.then_some(Prefer::Newer);
///     let path1 = Tree::new(here, Prefix::new("notes")?);
///     let path2 = Tree::new(there, Prefix::new("notes")?);
///     let summary = Bisync::new(path1, path2, state, options)?.run().summary().await?;
///     Ok(summary.conflicts)
/// }
/// ```
#[derive(Debug)]
pub struct Bisync {
    pair: Pair,
    store: Store,
}

impl Bisync {
    /// Checks that the job makes sense. Asks no backend anything.
    ///
    /// # Errors
    /// - [`SyncError::Overlap`] when two of the three trees contain each other, or one of them and a
    ///   place for backups.
    /// - [`SyncError::Option`] for an option out of its bounds, or one that a bisync or a backend
    ///   cannot honour.
    pub fn new(
        path1: Tree,
        path2: Tree,
        state: Tree,
        options: BisyncOptions,
    ) -> Result<Self, SyncError> {
        options.check()?;
        if path1.is_view() || path2.is_view() || state.is_view() {
            return Err(SyncError::Option {
                option: "path",
                reason: "a transformed tree is a source, and not a side".into(),
            });
        }
        path1.refuse_overlap(&path2)?;
        path1.refuse_overlap(&state)?;
        path2.refuse_overlap(&state)?;
        for kept in options.backup_dirs.iter().flatten() {
            kept.refuse_overlap(&state)?;
            for side in [&path1, &path2] {
                kept.refuse_overlap_unless(side, |inner| options.common.leaves_out(inner))?;
            }
        }
        let names = [path1.name(), path2.name(), options.fingerprint()];
        let sides = [Side::new(path1), Side::new(path2)];
        if options.common.create_empty_dirs && !sides.iter().all(|side| side.features.directories) {
            return Err(SyncError::Option {
                option: "create_empty_dirs",
                reason: "one of the sides has no directories".into(),
            });
        }
        let store = Store { tree: state, names };
        let pair = Pair::new(sides, options);
        Ok(Self { pair, store })
    }

    /// A name for the state of a pair, the same in each run and for no other pair as far as the
    /// backends can tell: 32 hexadecimal digits. For programs that keep many states in one place.
    #[must_use]
    pub fn state_name(path1: &Tree, path2: &Tree) -> String {
        let names = format!("{}\0{}", path1.name(), path2.name());
        print::hex(print::token(names.as_bytes()))
    }

    /// Starts in the background. The [`Run`] has to be polled for it to get on. Its events are those
    /// of other jobs, with actions of the kinds [`At`](crate::Action::At) and
    /// [`Conflict`](crate::Action::Conflict). It ends with a [`BisyncError`] and nothing done where
    /// both sides are not to be trusted; an object that fails does not end it.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    #[must_use]
    pub fn run(self) -> Run {
        let Self { pair, store } = self;
        Run::of(move |tally, events, cancel| {
            Driver::new(Arc::new(pair), store, tally, events, cancel.subscribe()).drive()
        })
    }
}

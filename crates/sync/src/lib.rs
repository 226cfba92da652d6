//! The sync engine: sync, copy, move and check between any two storage backends.
//!
//! A [`Job`] is a [`Command`] with a source [`Tree`], a destination tree and [`Options`]. Both trees
//! are walked as sorted listings at the same time, so that memory stays at a few pages however many
//! objects there are. [`Job::plan`] streams the [`Action`]s; [`Job::run`] applies that very stream and
//! reports [`Event`]s. Every transfer is verified, modified times are kept, and a second run of an
//! unchanged tree sends nothing, whatever the two stores can do.
//!
//! ```
//! use std::sync::Arc;
//! use storage_core::{Backend, Prefix};
//! use storage_sync::{Command, Job, Options, SyncError, Tree};
//!
//! async fn mirror(from: Arc<dyn Backend>, to: Arc<dyn Backend>) -> Result<u64, SyncError> {
//!     let source = Tree::new(from, Prefix::new("photos")?);
//!     let destination = Tree::new(to, Prefix::root());
//!     let job = Job::new(Command::Sync, source, destination, Options::default())?;
//!     let summary = job.run().summary().await?;
//!     Ok(summary.created + summary.updated)
//! }
//! ```

mod action;
mod alias;
mod apply;
mod arena;
mod backup;
mod bisync;
mod compare;
mod confirm;
mod content;
mod dedupe;
mod deletion;
mod directories;
mod directory_times;
mod drive;
mod elsewhere;
mod entries;
mod error;
mod etag;
mod event;
mod flow;
mod inspect;
mod job;
mod levels;
mod limits;
mod merge;
mod names;
mod options;
mod order;
mod plan;
mod plan_file;
mod planner;
mod pool;
mod refused;
mod renames;
mod report;
mod retry;
mod run;
mod saved_plan;
mod selection;
mod sieve;
mod size;
mod specials;
mod summary;
mod sums;
mod task;
mod transfer;
mod transform;
mod tree;
mod verdict;
mod walk;

pub use action::{Action, Difference, SkipReason};
pub use bisync::{Bisync, BisyncError, BisyncOptions, Loser, Prefer, Replica, Resolve};
pub use confirm::{Answer, Confirm, Confirmation};
pub use dedupe::{Dedupe, Keep};
pub use deletion::DeleteTiming;
pub use directories::{purge, rmdirs};
pub use entries::TreeEntries;
pub use error::SyncError;
pub use event::{Event, Evidence, Failure};
pub use job::{Command, Job};
pub use limits::Cutoff;
pub use options::{Comparison, Fsync, Options, Verify};
pub use order::{Direction, Order, OrderKey};
pub use plan::Plan;
pub use plan_file::PlanLines;
pub use renames::TrackRenames;
pub use run::{Canceller, Run};
pub use saved_plan::SavedPlan;
pub use size::Size;
pub use specials::Symlinks;
pub use storage_filter::Filter;
pub use storage_middleware::bandwidth::{Bandwidth, TimeOfWeek};
pub use summary::Summary;
pub use sums::Sums;
pub use transform::Transform;
pub use tree::Tree;

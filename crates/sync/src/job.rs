use std::fmt;
use std::sync::Arc;

use storage_core::{HashType, Location, NameFolding, ObjectPath};

use crate::backup;
use crate::plan::Plan;
use crate::plan_file::PlanLines;
use crate::planner::Scope;
use crate::tree::{Side, Times};
use crate::{Comparison, DeleteTiming, Options, Run, SavedPlan, Sums, SyncError, Tree, Verify};

/// What a job is to achieve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Command {
    /// Makes the destination equal to the source; deletes what the source does not have.
    Sync,
    /// Sends what is new or different; deletes nothing.
    Copy,
    /// Like `Copy`, and removes each source object once it is verified and durable at the destination.
    Move,
    /// Compares the contents and reports; changes nothing.
    Check,
    /// Compares as `Sync` does and reports; changes nothing.
    Diff,
    /// Deletes the destination's objects: [`Job::delete`].
    Delete,
    /// Computes the digests of the source's objects: [`Job::hash_sum`].
    HashSum(HashType),
}

impl Command {
    /// Whether two trees are compared and nothing is changed.
    #[must_use]
    pub const fn compares(self) -> bool {
        matches!(self, Self::Check | Self::Diff)
    }

    /// Whether what the destination alone has is deleted.
    pub(crate) const fn deletes(self) -> bool {
        matches!(self, Self::Sync | Self::Delete)
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sync => "sync",
            Self::Copy => "copy",
            Self::Move => "move",
            Self::Check => "check",
            Self::Diff => "diff",
            Self::Delete => "delete",
            Self::HashSum(_) => "hash",
        })
    }
}

/// A command with its trees and options: ready to be [planned](Self::plan) or [run](Self::run).
#[derive(Debug, Clone)]
pub struct Job {
    pub(crate) command: Command,
    pub(crate) source: Side,
    pub(crate) destination: Side,
    pub(crate) options: Arc<Options>,
    /// What the source's one object is called at the destination.
    pub(crate) name: Option<ObjectPath>,
    /// The plan to apply, where it was made before.
    pub(crate) saved: Option<SavedPlan>,
}

impl Job {
    /// Checks that the job makes sense. Asks neither backend anything.
    ///
    /// # Errors
    /// - [`SyncError::Overlap`] when one tree contains the other and no filter leaves it out.
    /// - [`SyncError::Option`] for an option out of its bounds, or one that the command or the
    ///   destination cannot honour.
    pub fn new(
        command: Command,
        source: Tree,
        destination: Tree,
        options: Options,
    ) -> Result<Self, SyncError> {
        source.refuse_overlap_unless(&destination, |inner| options.leaves_out(inner))?;
        Self::of_any(command, source, destination, options)
    }

    /// A job on trees that do not overlap, or may.
    fn of_any(
        command: Command,
        source: Tree,
        destination: Tree,
        options: Options,
    ) -> Result<Self, SyncError> {
        options.check(command)?;
        backup::check(&options, &source, &destination)?;
        check_views(&options, &source, &destination)?;
        let (source, destination) = (Side::new(source), Side::new(destination));
        let job = Self::unchecked(command, source, destination, options);
        job.check_destination()?;
        Ok(job)
    }

    /// Copies one object, also to another name, on the terms of a copied tree: nothing is sent when
    /// both are the same, and what is sent is verified.
    ///
    /// # Errors
    /// As [`new`](Self::new); [`SyncError::Overlap`] when both locations are the same.
    pub fn copy_file(from: &Location, to: &Location, options: Options) -> Result<Self, SyncError> {
        Self::of_object(Command::Copy, from, to, options)
    }

    /// Moves one object, also to another name: a rename where the store has it, else a verified copy
    /// before the source is removed.
    ///
    /// # Errors
    /// As [`copy_file`](Self::copy_file).
    pub fn move_file(from: &Location, to: &Location, options: Options) -> Result<Self, SyncError> {
        Self::of_object(Command::Move, from, to, options)
    }

    fn of_object(
        command: Command,
        from: &Location,
        to: &Location,
        options: Options,
    ) -> Result<Self, SyncError> {
        let source = Tree::new(Arc::clone(from.backend()), from.path().as_prefix());
        let same = Tree::new(Arc::clone(to.backend()), to.path().as_prefix());
        source.refuse_overlap(&same)?;
        let destination = Tree::new(Arc::clone(to.backend()), to.path().parent());
        let mut job = Self::of_any(command, source, destination, options)?;
        job.name = Some(ObjectPath::new(to.path().file_name())?);
        Ok(job)
    }

    /// Deletes the objects of a tree, one by one: with a filter, those that it selects. Directories
    /// stay, but for empty ones with [`Options::rmdirs`].
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn delete(tree: Tree, options: Options) -> Result<Self, SyncError> {
        let nothing = Tree::of_sums(Sums::default());
        let options = options.allow_empty_source(true);
        Self::new(Command::Delete, nothing, tree, options)
    }

    /// Computes the digest of each object, in order, as [`Event::Hashed`](crate::Event::Hashed).
    /// Digests that the store keeps are taken from it, unless [`Options::download`] is set.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn hash_sum(tree: Tree, hash: HashType, options: Options) -> Result<Self, SyncError> {
        let nothing = Tree::of_sums(Sums::default());
        Self::new(Command::HashSum(hash), tree, nothing, options)
    }

    /// Compares a tree, as the destination, with what a checksum file says. The events are those of
    /// a check.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn verify(sums: Sums, tree: Tree, options: Options) -> Result<Self, SyncError> {
        Self::new(Command::Check, Tree::of_sums(sums), tree, options)
    }

    pub(crate) fn unchecked(
        command: Command,
        source: Side,
        destination: Side,
        options: Options,
    ) -> Self {
        Self {
            command,
            source,
            destination,
            options: Arc::new(options),
            name: None,
            saved: None,
        }
    }

    /// The actions that [`run`](Self::run) would take, in order. Changes nothing.
    ///
    /// # Errors
    /// [`SyncError::Option`] for a command that changes nothing.
    ///
    /// # Panics
    /// When polled outside of a Tokio runtime.
    pub fn plan(self) -> Result<Plan, SyncError> {
        if self.command.compares() || matches!(self.command, Command::HashSum(_)) {
            return Err(SyncError::Option {
                option: "plan",
                reason: format!("a {} takes no actions", self.command).into(),
            });
        }
        Ok(Plan::new(self))
    }

    /// The plan as text to be looked at, kept, and [applied](crate::SavedPlan) later. `source` and
    /// `destination` name the trees in it.
    ///
    /// # Errors
    /// [`SyncError::Option`] for anything but sync, copy and move of trees.
    ///
    /// # Panics
    /// When polled outside of a Tokio runtime.
    pub fn plan_lines(
        self,
        source: impl Into<String>,
        destination: impl Into<String>,
    ) -> Result<PlanLines, SyncError> {
        let transfers = matches!(self.command, Command::Sync | Command::Copy | Command::Move);
        if !transfers || self.name.is_some() || self.source.tree.is_view() {
            return Err(SyncError::Option {
                option: "plan",
                reason: "only a sync, copy or move of trees as they are has a plan to keep".into(),
            });
        }
        Ok(PlanLines::new(self, source.into(), destination.into()))
    }

    /// Where an object of this relative path is at the destination.
    pub(crate) fn destination_path(&self, path: &ObjectPath) -> storage_core::Result<ObjectPath> {
        self.destination.tree.prefix().join(path)
    }

    /// Starts the job in the background. The [`Run`] has to be polled for it to get on.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    #[must_use]
    pub fn run(self) -> Run {
        Run::start(self)
    }

    /// How objects are really compared, given what the destination can keep.
    #[must_use]
    pub fn comparison(&self) -> Comparison {
        match (self.command, self.options.comparison) {
            (Command::Check, Comparison::SizeOnly) => Comparison::SizeOnly,
            (Command::Check, _) => Comparison::Checksum,
            (_, Comparison::SizeAndTime) if self.destination.times == Times::Lost => {
                Comparison::Checksum
            }
            (_, comparison) => comparison,
        }
    }

    /// Whether both trees are on the very same backend.
    pub(crate) fn is_within_one_backend(&self) -> bool {
        self.source.is_on_backend_of(&self.destination)
    }

    /// Whether the store copies within itself.
    pub(crate) fn copies_within(&self) -> bool {
        self.is_within_one_backend() && self.source.features.copy
    }

    /// Whether a move is a rename.
    pub(crate) fn moves_by_rename(&self) -> bool {
        let renames = self.is_within_one_backend() && self.source.features.rename;
        self.command == Command::Move && renames
    }

    /// Whether equal sizes and times are not enough: a move removes the source's object.
    pub(crate) fn must_see_content(&self) -> bool {
        self.command == Command::Move && self.options.verify != Verify::Size
    }

    /// Whether an unchanged object is more than a count.
    pub(crate) fn reports_same(&self) -> bool {
        let reports = self.command == Command::Move || self.command.compares();
        self.options.report_unchanged || reports
    }

    /// Whether what the destination alone has, and keeps, is reported.
    pub(crate) fn reports_extra(&self) -> bool {
        if self.command.compares() {
            return !self.options.one_way;
        }
        self.options.report_unchanged
    }

    /// The passes over both trees that a run makes.
    pub(crate) fn passes(&self) -> &'static [Scope] {
        match (self.command, self.options.delete_timing) {
            (Command::Sync, DeleteTiming::Before) => &[Scope::Deletions, Scope::Transfers],
            _ => &[Scope::All],
        }
    }

    /// Whether directories get the source's modified times.
    pub(crate) fn keeps_directory_times(&self) -> bool {
        let transfers = matches!(self.command, Command::Sync | Command::Copy | Command::Move);
        let can = self.source.features.directories && self.destination.features.directory_times;
        transfers && can && !self.options.no_update_dir_modtime
    }

    pub(crate) fn lists_source_directories(&self) -> bool {
        let compared = self.command == Command::Sync && self.destination.features.directories;
        let asked = self.options.create_empty_dirs || self.options.delete_empty_source_dirs;
        self.source.features.directories && (compared || asked || self.keeps_directory_times())
    }

    pub(crate) fn lists_destination_directories(&self) -> bool {
        let needed =
            self.command == Command::Sync || self.options.create_empty_dirs || self.options.rmdirs;
        let needed = needed || self.keeps_directory_times();
        self.destination.features.directories && needed
    }

    fn check_destination(&self) -> Result<(), SyncError> {
        let refuse = |option, reason: &'static str| {
            let reason = reason.into();
            Err(SyncError::Option { option, reason })
        };
        if self.options.create_empty_dirs && !self.destination.features.directories {
            return refuse("create_empty_dirs", "the destination has no directories");
        }
        if self.options.delete_empty_source_dirs && !self.source.features.directories {
            return refuse("delete_empty_source_dirs", "the source has no directories");
        }
        if self.destination.folding != NameFolding::Exact {
            let what = "the destination does not tell all names apart, so that deletions come last";
            if self.options.delete_timing != DeleteTiming::After {
                return refuse("delete_timing", what);
            }
            if self.options.track_renames.is_some() {
                return refuse("track_renames", what);
            }
        }
        if self.options.rmdirs && !self.destination.features.directories {
            return refuse("rmdirs", "the store has no directories");
        }
        let features = self.destination.features;
        if self.options.track_renames.is_some() && !features.rename && !features.copy {
            return refuse(
                "track_renames",
                "the destination can neither rename nor copy",
            );
        }
        if self.options.update && self.destination.times == Times::Lost {
            return refuse("update", "the destination keeps no modified times");
        }
        Ok(())
    }
}

/// Refuses a transformed tree where it cannot be.
fn check_views(options: &Options, source: &Tree, destination: &Tree) -> Result<(), SyncError> {
    let refuse = |option, reason: &'static str| {
        let reason = reason.into();
        Err(SyncError::Option { option, reason })
    };
    if destination.is_view() {
        return refuse("destination", "a transformed tree is a source");
    }
    if source.is_view() && options.filter.is_some() {
        return refuse(
            "filter",
            "its rules would meet both old and new names of a transformed tree",
        );
    }
    Ok(())
}

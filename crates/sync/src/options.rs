use std::time::Duration;

use storage_filter::Filter;

use crate::{
    Bandwidth, Command, Confirmation, Cutoff, DeleteTiming, Order, Symlinks, SyncError,
    TrackRenames, Tree,
};

/// How to tell whether two objects are the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Comparison {
    /// By size and modified time. Same size and another time: by content, and where that is the
    /// same only the time is set. A destination that cannot keep times is compared by content.
    #[default]
    SizeAndTime,
    /// By size alone.
    SizeOnly,
    /// By size and content: hashes that the stores keep, else by reading.
    Checksum,
    /// Not at all: everything is sent.
    IgnoreTimes,
}

/// How to make sure that what was sent has arrived. A copy within one backend is the store's own
/// work: its size is checked, and with `ReadBack` its content.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verify {
    /// The destination reports the size that was read.
    Size,
    /// Also, the destination's CRC-32C of the bytes it received is that of the bytes that were read.
    #[default]
    Hash,
    /// Also, the object is read back from the destination and has that CRC-32C.
    ReadBack,
}

/// When what was sent has to be durable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fsync {
    /// Whenever the destination gets to it.
    None,
    /// When the run is done, by one flush of the destination; with deletions, another one before
    /// them.
    #[default]
    End,
    /// Each object as it is written.
    Each,
}

macro_rules! options {
    (@setter $name:ident: $type:ty) => {
        options!(@setter $name: $type as $type);
    };
    (@setter $name:ident: $type:ty as $argument:ty) => {
        #[doc = concat!("Sets [`", stringify!($name), "`](Self#structfield.", stringify!($name), ").")]
        #[must_use]
        pub fn $name(mut self, $name: $argument) -> Self {
            self.$name = $name.into();
            self
        }
    };
    ($($(#[$meta:meta])* $name:ident: $type:ty $(as $argument:ty)? = $default:expr,)+) => {
        /// How a job goes about it. [`Job::new`](crate::Job::new) refuses an option that the command
        /// or the destination cannot honour.
        ///
        /// ```
        /// use storage_sync::{Comparison, Options};
        ///
        /// let options = Options::default().comparison(Comparison::Checksum).max_delete(100);
        /// assert_eq!(options.transfers, 8);
        /// ```
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Options { $($(#[$meta])* pub $name: $type,)+ }

        impl Default for Options {
            fn default() -> Self {
                Self { $($name: $default,)+ }
            }
        }

        impl Options {
            $(
                options!(@setter $name: $type $(as $argument)?);
            )+
        }
    };
}

options! {
    /// What is in scope: neither side's other objects are sent, deleted or reported. Where both sides
    /// have an object, the source's attributes decide; default everything.
    filter: Option<Filter> as impl Into<Option<Filter>> = None,
    /// In a sync, delete what the filter excludes from the destination.
    delete_excluded: bool = false,
    /// Objects in transfer at a time, 1 to 1024; default 8.
    transfers: usize = 8,
    /// Comparisons in progress at a time that need more than the listings, 1 to 1024; default 8.
    checkers: usize = 8,
    /// How to tell whether two objects are the same.
    comparison: Comparison = Comparison::default(),
    /// Modified times that differ by less are the same; default the coarser precision of both sides.
    modify_window: Option<Duration> as impl Into<Option<Duration>> = None,
    /// What to do with symbolic links, on both sides.
    links: Symlinks = Symlinks::default(),
    /// Take objects of different sizes for the same if all else is.
    ignore_size: bool = false,
    /// Leave the modified time alone where the content is the same.
    no_update_modtime: bool = false,
    /// Leave the modified times of directories alone. Else those of the source are kept where both
    /// sides have them, but for the root's, and for directories that the destination has already when
    /// it moves, compares sizes alone, or leaves alone what is there (`existing`, `ignore_existing`,
    /// `immutable`).
    no_update_dir_modtime: bool = false,
    /// Trees whose objects are not sent, where they are as the source has them under the same path.
    compare_dest: Vec<Tree> = Vec::new(),
    /// The same, but that they are copied to the destination, within the store where it can.
    copy_dest: Vec<Tree> = Vec::new(),
    /// Leave alone what is newer at the destination.
    update: bool = false,
    /// Leave alone what the destination has, whatever it is.
    ignore_existing: bool = false,
    /// Leave alone what the destination does not have.
    existing: bool = false,
    /// A difference to an existing object is an error of that object.
    immutable: bool = false,
    /// How to make sure that what was sent has arrived.
    verify: Verify = Verify::default(),
    /// When what was sent has to be durable. In a move each object is durable before its source goes.
    fsync: Fsync = Fsync::default(),
    /// Most objects that a sync may delete: with one more in the plan, it deletes none.
    max_delete: Option<u64> as impl Into<Option<u64>> = None,
    /// The same as a share of the destination's objects, in percent, 0 to 100.
    max_delete_share: Option<u8> as impl Into<Option<u8>> = None,
    /// Most bytes that a sync may delete: with one more in the plan, it deletes nothing.
    max_delete_size: Option<u64> as impl Into<Option<u64>> = None,
    /// When a sync deletes.
    delete_timing: DeleteTiming = DeleteTiming::default(),
    /// Delete although a comparison or transfer failed. After a failed listing nothing is deleted.
    ignore_errors: bool = false,
    /// Let a sync delete although the source holds no object at all.
    allow_empty_source: bool = false,
    /// Plan, report and change nothing.
    dry_run: bool = false,
    /// Where the destination's objects go that are replaced or deleted, under their own paths.
    backup_dir: Option<Tree> as impl Into<Option<Tree>> = None,
    /// What is added to the names of replaced and deleted objects, which are kept in `backup_dir` or
    /// where they are. There, the next sync finds them like anything else that the source lacks.
    suffix: Option<String> as impl Into<Option<String>> = None,
    /// Put the suffix before the extension.
    suffix_keep_extension: bool = false,
    /// Rename at the destination what the source has under another name, instead of sending it again:
    /// what to know it by. Renames, and what is sent and deleted, then come at the end of the plan.
    track_renames: Option<TrackRenames> as impl Into<Option<TrackRenames>> = None,
    /// Decides on each action before it is applied.
    confirm: Option<Confirmation> as impl Into<Option<Confirmation>> = None,
    /// Tries of an object in all, 1 to 100; default 3. Only failures that may pass are tried again.
    tries: u32 = 3,
    /// Tries of one request of a listing or comparison, 1 to 100; default 10.
    request_tries: u32 = 10,
    /// The pause before an object is tried again; default 100 ms, doubled with each try, at most 5 s.
    retry_pause: Option<Duration> as impl Into<Option<Duration>> = None,
    /// The order in which objects are sent; default as they are found.
    order_by: Option<Order> as impl Into<Option<Order>> = None,
    /// Most transfers that wait to be ordered, at least 1; default 10,000. Memory grows with it.
    max_backlog: usize = 10_000,
    /// Most bytes to send: then the run ends, and is not complete.
    max_transfer: Option<u64> as impl Into<Option<u64>> = None,
    /// How long to send: then the run ends, and is not complete.
    max_duration: Option<Duration> as impl Into<Option<Duration>> = None,
    /// What happens to transfers in progress at either limit.
    cutoff: Cutoff = Cutoff::default(),
    /// With so many failures, at least 1, nothing more is begun.
    max_errors: Option<u64> as impl Into<Option<u64>> = None,
    /// Bytes sent a second by all transfers together. A copy within one backend does not count.
    bandwidth: Option<Bandwidth> as impl Into<Option<Bandwidth>> = None,
    /// Bytes sent a second by each transfer, at least 1.
    bandwidth_per_file: Option<u64> as impl Into<Option<u64>> = None,
    /// Create the source's empty directories.
    create_empty_dirs: bool = false,
    /// After a move, remove the source's directories that are empty.
    delete_empty_source_dirs: bool = false,
    /// After a deletion, remove the directories that are empty.
    rmdirs: bool = false,
    /// In a check, compare the bytes and trust no hash that a store keeps. In a hash sum, compute
    /// every digest from the bytes.
    download: bool = false,
    /// In a check, what only the destination has is fine.
    one_way: bool = false,
    /// Report unchanged objects as skipped, one by one, and those that a copy or move leaves alone
    /// because only the destination has them.
    report_unchanged: bool = false,
    /// Entries asked for in one page of a listing; default the backend's choice. Memory grows with it.
    page_size: Option<usize> as impl Into<Option<usize>> = None,
}

impl Options {
    /// Whether a directory of either tree is neither read, sent nor deleted.
    pub(crate) fn leaves_out(&self, directory: &str) -> bool {
        let filter = self.filter.as_ref().filter(|_| !self.delete_excluded);
        filter.is_some_and(|filter| !filter.enters_all_of(directory))
    }

    /// Judges the options by themselves and against the command.
    pub(crate) fn check(&self, command: Command) -> Result<(), SyncError> {
        let refused = |option: &'static str, allowed: &str| {
            Err(SyncError::Option {
                option,
                reason: format!("it belongs to {allowed}, not to {command}").into(),
            })
        };
        let only_for = |set: bool, option: &'static str, allowed: Command| {
            if set && command != allowed {
                return refused(option, &allowed.to_string());
            }
            Ok(())
        };
        let guards = [
            (self.max_delete.is_some(), "max_delete"),
            (self.max_delete_share.is_some(), "max_delete_share"),
            (self.max_delete_size.is_some(), "max_delete_size"),
            (self.allow_empty_source, "allow_empty_source"),
        ];
        if let Some((_, option)) = guards
            .into_iter()
            .find(|(set, _)| *set && !command.deletes())
        {
            return refused(option, "sync and delete");
        }
        let timed = self.delete_timing != DeleteTiming::After;
        only_for(timed, "delete_timing", Command::Sync)?;
        let tracks = self.track_renames.is_some();
        only_for(tracks, "track_renames", Command::Sync)?;
        if self.one_way && !command.compares() {
            return refused("one_way", "check and diff");
        }
        let hashes = matches!(command, Command::Check | Command::HashSum(_));
        if self.download && !hashes {
            return refused("download", "check and hash");
        }
        only_for(self.delete_excluded, "delete_excluded", Command::Sync)?;
        only_for(self.rmdirs, "rmdirs", Command::Delete)?;
        self.check_comparison(command)?;
        only_for(
            self.delete_empty_source_dirs,
            "delete_empty_source_dirs",
            Command::Move,
        )?;
        let within = |good: bool, option: &'static str, reason: &'static str| {
            let reason = reason.into();
            good.then_some(())
                .ok_or(SyncError::Option { option, reason })
        };
        within(
            (1..=1024).contains(&self.transfers),
            "transfers",
            "it is not from 1 to 1024",
        )?;
        within(
            (1..=1024).contains(&self.checkers),
            "checkers",
            "it is not from 1 to 1024",
        )?;
        within(
            (1..=100).contains(&self.tries),
            "tries",
            "it is not from 1 to 100",
        )?;
        within(
            (1..=100).contains(&self.request_tries),
            "request_tries",
            "it is not from 1 to 100",
        )?;
        within(
            self.max_delete_share.is_none_or(|percent| percent <= 100),
            "max_delete_share",
            "it is not from 0 to 100",
        )?;
        within(
            !(tracks && timed),
            "track_renames",
            "what is deleted is known only at the end, so that deletions come last",
        )?;
        within(
            self.max_backlog > 0,
            "max_backlog",
            "nothing could wait to be ordered",
        )?;
        within(
            self.max_errors != Some(0),
            "max_errors",
            "the run would end before it begins",
        )?;
        within(
            self.bandwidth_per_file != Some(0),
            "bandwidth_per_file",
            "nothing would ever arrive",
        )?;
        within(
            self.page_size != Some(0),
            "page_size",
            "a page of no entries lists nothing",
        )?;
        if command == Command::Check {
            let wants = self.create_empty_dirs || self.update || self.ignore_existing;
            let wants = wants || self.existing || self.immutable;
            let wants = wants || self.backup_dir.is_some() || self.suffix.is_some();
            let reason = "options that choose what to write do not belong to a check";
            within(!wants, "check", reason)?;
        }
        Ok(())
    }

    /// Judges what the comparison is made of.
    fn check_comparison(&self, command: Command) -> Result<(), SyncError> {
        let refuse = |option, reason: &'static str| {
            let reason = reason.into();
            Err(SyncError::Option { option, reason })
        };
        if self.ignore_size && self.comparison == Comparison::SizeOnly {
            return refuse("ignore_size", "nothing would be left to compare");
        }
        if self.update && self.comparison == Comparison::IgnoreTimes {
            return refuse("update", "with ignored times nothing is newer");
        }
        let option = match (self.compare_dest.is_empty(), self.copy_dest.is_empty()) {
            (true, true) => return Ok(()),
            (false, false) => return refuse("copy_dest", "compare_dest finds what it would copy"),
            (false, true) => "compare_dest",
            (true, false) => "copy_dest",
        };
        match command {
            Command::Sync | Command::Copy => Ok(()),
            Command::Move => refuse(option, "a move removes what it has sent itself"),
            _ => refuse(option, "it belongs to sync and copy"),
        }
    }
}

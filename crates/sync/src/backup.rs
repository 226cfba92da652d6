//! Keeping what is replaced or deleted.

use std::borrow::Cow;

use storage_core::{BackendExt, ObjectPath, WriteOptions};

use crate::apply::Applier;
use crate::flow::Flow;
use crate::report::Events;
use crate::transfer::Transfer;
use crate::tree::{Side, Tree};
use crate::{Command, Fsync, Job, Options, SyncError};

/// Where replaced and deleted objects of the destination are kept, and under which name.
#[derive(Debug)]
pub(crate) struct Keeper {
    /// From the destination to where things are kept.
    job: Job,
    suffix: String,
    keeps_extension: bool,
}

impl Keeper {
    /// The keeper of a job, where one is asked for.
    pub(crate) fn of(job: &Job) -> Option<Self> {
        let options = &job.options;
        let tree = match (&options.backup_dir, &options.suffix) {
            (Some(tree), _) => tree,
            (None, Some(_)) => &job.destination.tree,
            (None, None) => return None,
        };
        let destination = Side::new(tree.clone());
        let within = job.destination.is_on_backend_of(&destination);
        // The flush at the end reaches what is on the destination's backend alone.
        let fsync = match options.fsync {
            Fsync::End if !within => Fsync::Each,
            fsync => fsync,
        };
        let kept = Options::default().verify(options.verify).fsync(fsync);
        Some(Self {
            job: Job::unchecked(Command::Copy, job.destination.clone(), destination, kept),
            suffix: options.suffix.clone().unwrap_or_default(),
            keeps_extension: options.suffix_keep_extension,
        })
    }

    /// The name that an object is kept under.
    fn name<'a>(&self, path: &'a str) -> Cow<'a, str> {
        if self.suffix.is_empty() {
            return path.into();
        }
        let end = match self.keeps_extension {
            true => path.len() - extension(path).len(),
            false => path.len(),
        };
        let (base, extension) = path.split_at(end);
        format!("{base}{}{extension}", self.suffix).into()
    }
}

/// The extension with its dot, `.tar` before it included; of what stands for a link, that of the link.
fn extension(path: &str) -> &str {
    const LINK: &str = ".rclonelink";
    if let Some(link) = path.strip_suffix(LINK) {
        return &path[link.len() - extension(link).len()..];
    }
    let name = path.rfind('/').map_or(0, |slash| slash + 1);
    let dot = |end: usize| path[name..end].rfind('.').map(|dot| name + dot);
    let Some(last) = dot(path.len()) else {
        return "";
    };
    let start = match dot(last) {
        Some(before) if &path[before..last] == ".tar" => before,
        _ => last,
    };
    &path[start..]
}

impl Applier {
    /// Keeps the destination's object at `to`, where that is asked for, unless an earlier try has:
    /// what is there then may be the new one. Gives whether there was anything to keep.
    pub(crate) async fn keep_once(
        &self,
        kept: &mut Option<bool>,
        path: &ObjectPath,
        to: &ObjectPath,
        is_replaced: bool,
    ) -> Result<bool, SyncError> {
        let Some(keeper) = &self.keeper else {
            return Ok(false);
        };
        if let Some(kept) = *kept {
            return Ok(kept);
        }
        let (events, flow) = (self.events(), &self.kept_flow);
        let found = keeper.keep((path, to), is_replaced, events, flow).await?;
        *kept = Some(found);
        Ok(found)
    }
}

impl Keeper {
    /// The keeper of a tree, in another tree, under the same names.
    pub(crate) fn between(from: &Side, to: &Tree, options: &Options) -> Self {
        let kept = Side::new(to.clone());
        let fsync = match from.is_on_backend_of(&kept) {
            true => Fsync::End,
            false => Fsync::Each,
        };
        let options = Options::default().verify(options.verify).fsync(fsync);
        Self {
            job: Job::unchecked(Command::Copy, from.clone(), kept, options),
            suffix: String::new(),
            keeps_extension: false,
        }
    }

    /// Keeps the object at `to`, whose relative path is `path`. When it is about to be replaced, it
    /// stays until then, if the store can copy; otherwise it is gone. Gives whether there was anything
    /// to keep.
    pub(crate) async fn keep(
        &self,
        (path, to): (&ObjectPath, &ObjectPath),
        is_replaced: bool,
        events: &Events,
        flow: &Flow,
    ) -> Result<bool, SyncError> {
        let (job, name) = (&self.job, self.name(path));
        let Some(listed) = job.source.backend().try_stat(to).await? else {
            return Ok(false);
        };
        if listed.is_dir {
            return Ok(true);
        }
        let kept = job.destination.tree.prefix().join(&*name)?;
        let features = job.source.features;
        let within = job.is_within_one_backend();
        let renames = within && features.rename && !(is_replaced && features.copy);
        if renames {
            let backend = job.source.backend().extended()?;
            backend.rename(to, &kept, WriteOptions::default()).await?;
            return Ok(true);
        }
        let transfer = Transfer {
            job,
            events,
            flow,
            listed: &listed,
            path,
            to: &kept,
            mode: None,
        };
        transfer.send().await?;
        Ok(true)
    }
}

/// Refuses a place for backups in which a run would meet its own trees.
pub(crate) fn check(options: &Options, source: &Tree, destination: &Tree) -> Result<(), SyncError> {
    let refuse = |option, reason: &'static str| {
        let reason = reason.into();
        Err(SyncError::Option { option, reason })
    };
    match &options.suffix {
        Some(suffix) if suffix.is_empty() || suffix.contains('/') => {
            return refuse("suffix", "it is empty or has a slash");
        }
        None if options.suffix_keep_extension => {
            return refuse("suffix_keep_extension", "there is no suffix");
        }
        _ => {}
    }
    match &options.backup_dir {
        Some(backup) => {
            backup.refuse_overlap_unless(destination, |inner| options.leaves_out(inner))?;
            backup.refuse_overlap_unless(source, |inner| options.leaves_out(inner))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::extension;

    #[test]
    fn an_extension_is_what_follows_the_last_dot_of_the_name() {
        for (path, expected) in [
            ("a/b.txt", ".txt"),
            ("a.d/b", ""),
            ("b.tar.gz", ".tar.gz"),
            ("b.x.gz", ".gz"),
            ("a.tar/b.gz", ".gz"),
            (".hidden", ".hidden"),
            ("b.", "."),
            ("a/b.txt.rclonelink", ".txt.rclonelink"),
            ("b.rclonelink", ".rclonelink"),
        ] {
            assert_eq!(extension(path), expected, "{path}");
        }
    }
}

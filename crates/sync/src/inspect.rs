use storage_core::{BackendExt, Error, ErrorKind, ObjectInfo, ObjectPath, Operation, Result};

use crate::compare::{Rules, Verdict};
use crate::retry::retrying;
use crate::tree::{Side, Times};
use crate::{Difference, Evidence, Job, content, etag};

/// What a closer look at two objects found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finding {
    Same(Evidence),
    /// Only the time is to be set.
    OtherTime,
    Differ(Difference),
    Skip(crate::SkipReason),
}

/// Takes a closer look at two objects that the listings could not tell apart: asks for what the
/// listings left out and compares the contents if that is needed.
pub(crate) async fn inspect(
    job: &Job,
    destination: &Side,
    rules: &Rules,
    mut verdict: Verdict,
    mut a: ObjectInfo,
    mut b: ObjectInfo,
) -> Result<Inspected> {
    let source = &job.source;
    if verdict == Verdict::Stat {
        let may_trust = !job.options.download && !job.must_see_content();
        if may_trust && etag::proves_unchanged((source, &a), (destination, &b)).await? {
            let (finding, was_read) = (Finding::Same(Evidence::Hash), true);
            return Ok(Inspected { finding, was_read });
        }
        (a, b) = tokio::try_join!(complete(job, source, a), complete(job, destination, b))?;
        verdict = rules.judge((source, &a), (destination, &b), true);
    }
    let then_time = match verdict {
        Verdict::Same if job.must_see_content() => false,
        Verdict::Same => return Ok(Finding::Same(Evidence::Size).into()),
        Verdict::Differ(difference) => return Ok(Finding::Differ(difference).into()),
        Verdict::Skip(reason) => return Ok(Finding::Skip(reason).into()),
        Verdict::ContentThenTime => true,
        Verdict::Content | Verdict::Stat => false,
    };
    let trust_hashes = !job.options.download;
    let compare = || content::is_same((source, &a), (destination, &b), trust_hashes);
    let compared = retrying(job.options.request_tries, compare).await?;
    let finding = match (compared.same, then_time) {
        (false, _) => Finding::Differ(Difference::Content),
        (true, true) if !job.options.no_update_modtime => {
            // A time in metadata cannot be changed alone: the object is written again, once.
            if destination.times == Times::Metadata {
                Finding::Differ(Difference::Modified)
            } else {
                Finding::OtherTime
            }
        }
        (true, _) => Finding::Same(compared.evidence),
    };
    let was_read = compared.was_read;
    Ok(Inspected { finding, was_read })
}

/// What a closer look found, and what it took.
#[derive(Debug)]
pub(crate) struct Inspected {
    pub(crate) finding: Finding,
    /// Whether the content of an object was read.
    pub(crate) was_read: bool,
}

impl From<Finding> for Inspected {
    fn from(finding: Finding) -> Self {
        let was_read = false;
        Self { finding, was_read }
    }
}

async fn complete(job: &Job, side: &Side, listed: ObjectInfo) -> Result<ObjectInfo> {
    if !side.needs_stat(&listed) {
        return Ok(listed);
    }
    let found = retrying(job.options.request_tries, || stat(side, &listed.path)).await?;
    found.ok_or_else(|| gone(side, &listed.path))
}

/// What a side has at the path, object or directory.
pub(crate) async fn stat(side: &Side, path: &ObjectPath) -> Result<Option<ObjectInfo>> {
    side.backend().try_stat(path).await
}

/// Fails where there is no directory at a side's prefix.
pub(crate) async fn require_directory(side: &Side) -> Result<()> {
    let Some(path) = side.tree.prefix().as_path() else {
        return Ok(());
    };
    let error = match stat(side, &path).await? {
        None if side.features.directories => Error::not_found("there is no such directory"),
        Some(info) if !info.is_dir => Error::new(ErrorKind::NotDirectory, "it is an object"),
        _ => return Ok(()),
    };
    Err(error.at(Operation::List, side.backend().name(), &path))
}

fn gone(side: &Side, path: &ObjectPath) -> Error {
    let error = Error::not_found("it was listed and is gone");
    error.at(Operation::Stat, side.backend().name(), path)
}

//! Writes that come to nothing.

use storage_core::{ErrorKind, ListOptions, WriteMode, WriteOptions};

use super::cancellation::polled;
use crate::case::{Case, pattern};
use crate::rule::{
    Need::{On, Residue},
    Rule, rule,
};
use crate::violation::{Verdict, ensure, equal, fails};

pub(crate) const RULES: &[Rule] = &[
    rule!(
        write_dropped,
        Write,
        [On("atomic_write")],
        "Dropping a writer leaves what was there before, and nothing listed beside it."
    ),
    rule!(
        write_aborted,
        Write,
        [On("atomic_write")],
        "Aborting a writer leaves what was there before, and nothing listed beside it."
    ),
    rule!(
        write_leaves_no_residue,
        Write,
        [Residue],
        "A write, whether dropped, aborted, cancelled, failed or finished, leaves no temporary file and no unfinished upload."
    ),
];

/// The state of the store before and after writers that came to nothing.
async fn nothing_came<F>(case: &Case, end: impl Fn(storage_core::Writer) -> F) -> Verdict
where
    F: Future<Output = storage_core::Result<()>>,
{
    case.put("d/old", "old").await?;
    let everything = ListOptions::default().recursive(true).directories(true);
    let before = case.keys("", everything.clone()).await?;
    for size in [0, 10, 300_000, case.effort().large] {
        for key in ["d/old", "d/new", "new"] {
            let mut writer = case.writer(key, WriteMode::Replace).await?;
            writer.write_bytes(pattern(1, size)).await?;
            if size == 10 {
                writer.flush().await?;
            }
            end(writer).await?;
            equal(
                &format!("the listing after {size} bytes for {key:?}"),
                case.keys("", everything.clone()).await?,
                before.clone(),
            )?;
            case.holds("d/old", b"old").await?;
        }
    }
    case.absent("new").await?;
    case.absent("d/new").await
}

async fn write_dropped(case: &Case) -> Verdict {
    nothing_came(case, async |writer| {
        drop(writer);
        Ok(())
    })
    .await
}

async fn write_aborted(case: &Case) -> Verdict {
    nothing_came(case, storage_core::Writer::abort).await
}

async fn write_leaves_no_residue(case: &Case) -> Verdict {
    for size in [10, 300_000, case.effort().large] {
        for ending in ["dropped", "aborted", "cancelled", "failed", "finished"] {
            let mut options = WriteOptions::default();
            if ending == "failed" {
                options = options.size(size as u64 + 1);
            }
            let mut writer = case.writer("d/object", options).await?;
            writer.write_bytes(pattern(1, size)).await?;
            writer.flush().await?;
            match ending {
                "dropped" => drop(writer),
                "aborted" => writer.abort().await?,
                // A writer that is kept may go on with its `finish`, and holds what that takes.
                "cancelled" => {
                    drop(polled(writer.finish(), 1).await?);
                    drop(writer);
                }
                "failed" => drop(fails("finish", writer.finish().await, ErrorKind::Corrupt)?),
                _ => drop(writer.finish().await?),
            }
            settles(case, &format!("{size} bytes {ending}")).await?;
        }
    }
    Ok(())
}

/// A dropped writer may clean up in the background: it gets some time for it.
async fn settles(case: &Case, what: &str) -> Verdict {
    let mut left = case.residue().await?;
    for _ in 0..200 {
        if left.is_empty() {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        left = case.residue().await?;
    }
    ensure(left.is_empty(), || {
        format!("after {what}: expected nothing left over, found {left:?}")
    })
}

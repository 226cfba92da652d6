//! Modified times: given with a write, set later, or nobody's doing.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use storage_core::{ErrorKind, ObjectPath, WriteOptions};

use super::attributes::{everything, left_out, told};
use crate::case::{Case, ROUTES, pattern};
use crate::rule::{
    Need::{Off, On},
    Rule, rule,
};
use crate::violation::{Verdict, ensure, equal, fails, fails_with};

pub(crate) const RULES: &[Rule] = &[
    rule!(
        modified_comes_back,
        Metadata,
        [On("set_modified")],
        "A modified time given with a write comes back to the store's precision, in `stat`, the reader and the listing."
    ),
    rule!(
        modified_can_be_set,
        Metadata,
        [On("set_modified")],
        "`set_modified` changes the modified time and nothing else; of a missing object it is `NotFound`."
    ),
    rule!(
        modified_at_the_ends_of_time,
        Metadata,
        [On("set_modified")],
        "A modified time before 1970 or in the far future is honoured or refused, never changed."
    ),
    rule!(
        modified_refused,
        Metadata,
        [Off("set_modified")],
        "Without `set_modified`, a modified time is refused when required and left out when not; `set_modified` is `Unsupported`."
    ),
    rule!(
        modified_of_a_directory,
        Metadata,
        [On("directory_times")],
        "`set_modified` changes the modified time of a directory, empty or not; `stat` and the listing tell it."
    ),
    rule!(
        modified_of_a_directory_refused,
        Metadata,
        [Off("directory_times")],
        "Without `directory_times`, `set_modified` of a directory is `Unsupported`; without directories there is none to find."
    ),
    rule!(
        modified_is_never_made_up,
        Metadata,
        [],
        "A modified time that nobody set is that of the write or unknown, never the beginning of time."
    ),
];

/// Requires the time to the store's precision, however it rounds.
pub(super) fn same_time(
    case: &Case,
    what: &str,
    found: Option<SystemTime>,
    expected: SystemTime,
) -> Verdict {
    let precision = case.extended()?.modified_precision();
    let apart = found.map(|found| {
        let later = found.duration_since(expected);
        later.unwrap_or_else(|earlier| earlier.duration())
    });
    ensure(apart.is_some_and(|apart| apart < precision), || {
        format!("{what}: expected {expected:?} within {precision:?}, found {found:?}")
    })
}

/// Times with digits down to the nanosecond.
fn times() -> [SystemTime; 3] {
    [(1_000_000_000, 0), (1_700_000_000, 123_456_789), (1, 1)]
        .map(|(seconds, nanos)| UNIX_EPOCH + Duration::new(seconds, nanos))
}

async fn modified_comes_back(case: &Case) -> Verdict {
    for time in times() {
        for route in ROUTES {
            for size in [0, 9, 300_000] {
                let options = WriteOptions::default().modified(time);
                let written = case
                    .store(route, "d/key", pattern(1, size), options)
                    .await?;
                for info in told(case, "d/key").await? {
                    same_time(case, "the modified time told", info.modified, time)?;
                }
                if written.modified.is_some() {
                    same_time(
                        case,
                        "the modified time of the write",
                        written.modified,
                        time,
                    )?;
                }
                for entry in case.walk("d", storage_core::ListOptions::default()).await? {
                    same_time(
                        case,
                        "the modified time listed",
                        entry.modified.or(Some(time)),
                        time,
                    )?;
                }
            }
        }
    }
    Ok(())
}

async fn modified_can_be_set(case: &Case) -> Verdict {
    case.write("d/key", pattern(1, 9), everything()).await?;
    let mut before = case.info("d/key").await?;
    let path = ObjectPath::new("d/key")?;
    for time in times() {
        case.extended()?.set_modified(&path, time).await?;
        let mut after = case.info("d/key").await?;
        same_time(case, "the modified time set", after.modified, time)?;
        // Whether a version counts attributes is the store's affair, and so is the entity tag.
        after.modified = before.modified;
        (before.version, before.etag) = (after.version.clone(), after.etag.clone());
        equal("everything else", after, before.clone())?;
        case.holds("d/key", &pattern(1, 9)).await?;
    }
    for key in ["missing", "missing/parent", "d/key/below"] {
        let result = case
            .extended()?
            .set_modified(&ObjectPath::new(key)?, times()[0])
            .await;
        fails(
            &format!("set_modified({key:?})"),
            result,
            ErrorKind::NotFound,
        )?;
    }
    Ok(())
}

async fn modified_at_the_ends_of_time(case: &Case) -> Verdict {
    let seconds = Duration::from_secs;
    for time in [
        UNIX_EPOCH - seconds(1),
        UNIX_EPOCH - Duration::new(1_000_000_000, 500_000_000),
        UNIX_EPOCH + seconds(5_000_000_000),
        UNIX_EPOCH + seconds(20_000_000_000),
        UNIX_EPOCH + seconds(1_000_000_000_000),
    ] {
        let what = format!("the modified time {time:?}");
        let refusals = [ErrorKind::Unsupported, ErrorKind::Config];
        case.put("set", "x").await?;
        match case
            .extended()?
            .set_modified(&ObjectPath::new("set")?, time)
            .await
        {
            Ok(()) => same_time(case, &what, case.info("set").await?.modified, time)?,
            Err(error) => drop(fails_with(&what, Err::<(), _>(error), &refusals)?),
        }
        case.delete("given").await?;
        match case
            .write("given", "x", WriteOptions::default().modified(time))
            .await
        {
            Ok(_) => same_time(case, &what, case.info("given").await?.modified, time)?,
            Err(error) => {
                fails_with(&what, Err::<(), _>(error), &refusals)?;
                case.absent("given").await?;
            }
        }
    }
    Ok(())
}

async fn modified_refused(case: &Case) -> Verdict {
    let time = times()[0];
    let info = left_out(case, &WriteOptions::default().modified(time)).await?;
    ensure(info.modified != Some(time), || {
        format!(
            "expected the modified time to be left out, found {:?}",
            info.modified
        )
    })?;
    if case.is_extended() {
        let result = case
            .extended()?
            .set_modified(&ObjectPath::new("key")?, time)
            .await;
        fails("set_modified", result, ErrorKind::Unsupported)?;
    }
    Ok(())
}

async fn modified_of_a_directory(case: &Case) -> Verdict {
    case.extended()?.mkdir(&ObjectPath::new("empty")?).await?;
    case.put("full/key", "x").await?;
    for key in ["empty", "full"] {
        let path = ObjectPath::new(key)?;
        for time in times() {
            case.extended()?.set_modified(&path, time).await?;
            let told = case.extended()?.stat(&path).await?.modified;
            same_time(case, &format!("the time of {key:?}"), told, time)?;
            let listed = case.walk("", storage_core::ListOptions::default()).await?;
            let listed = listed.into_iter().find(|entry| *entry.path == *key);
            let listed = listed.and_then(|entry| entry.modified);
            same_time(case, &format!("the time listed of {key:?}"), listed, time)?;
        }
    }
    case.holds("full/key", b"x").await
}

async fn modified_of_a_directory_refused(case: &Case) -> Verdict {
    case.put("full/key", "x").await?;
    if case.is_extended() {
        let path = ObjectPath::new("full")?;
        let result = case.extended()?.set_modified(&path, times()[0]).await;
        let kinds: &[_] = match case.features().directories {
            true => &[ErrorKind::Unsupported],
            false => &[ErrorKind::Unsupported, ErrorKind::NotFound],
        };
        fails_with("set_modified(\"full\")", result, kinds)?;
    }
    Ok(())
}

async fn modified_is_never_made_up(case: &Case) -> Verdict {
    case.put("d/key", "x").await?;
    let mut infos = case
        .walk("", storage_core::ListOptions::default().recursive(true))
        .await?;
    infos.extend(told(case, "d/key").await?);
    for info in infos {
        // A clock may be wrong, but it does not stand at the beginning of time.
        let real = UNIX_EPOCH + Duration::from_secs(86_400);
        ensure(info.modified.is_none_or(|modified| modified > real), || {
            format!(
                "expected a modified time or none, found {:?}",
                info.modified
            )
        })?;
    }
    Ok(())
}

//! Create-new and if-version: writes that expect something.

use bytes::Bytes;
use storage_core::{ErrorKind, ObjectPath, Version, WriteMode, WriteOptions, Writer, Written};

use crate::case::{Case, ROUTES, Route, pattern};
use crate::rule::{
    Need::{Off, On},
    Rule, rule,
};
use crate::violation::{Verdict, Violation, ensure, equal, fails};

pub(crate) const RULES: &[Rule] = &[
    rule!(
        create_new_creates,
        Modes,
        [On("create_new")],
        "`CreateNew` creates an object and its parents, also where one was deleted."
    ),
    rule!(
        create_new_on_existing,
        Modes,
        [On("create_new")],
        "`CreateNew` on an existing object is `AlreadyExists` and leaves it."
    ),
    rule!(
        create_new_decides_at_finish,
        Modes,
        [On("create_new")],
        "`CreateNew` is decided when it finishes: an object that came meanwhile stays."
    ),
    rule!(
        create_new_refused,
        Modes,
        [Off("create_new")],
        "Without `create_new` the mode is `Unsupported` and writes nothing."
    ),
    rule!(
        if_version_replaces,
        Modes,
        [On("if_version")],
        "`IfVersion` replaces the version it names, and publishes another one."
    ),
    rule!(
        if_version_on_another,
        Modes,
        [On("if_version")],
        "`IfVersion` on another version is `PreconditionFailed`, tells the expected version, never a wrong actual one, and leaves the object."
    ),
    rule!(
        if_version_on_missing,
        Modes,
        [On("if_version")],
        "`IfVersion` on a missing object is `PreconditionFailed` without an actual version, and creates nothing."
    ),
    rule!(
        if_version_after_recreation,
        Modes,
        [On("if_version")],
        "A version does not come back: `IfVersion` fails after the object was deleted and written again with the same bytes."
    ),
    rule!(
        if_version_decides_at_finish,
        Modes,
        [On("if_version")],
        "`IfVersion` is decided when it finishes: an object that changed meanwhile stays."
    ),
    rule!(
        if_version_takes_a_stored_token,
        Modes,
        [On("if_version")],
        "A version's text, kept elsewhere, makes the same version again."
    ),
    rule!(
        if_version_refused,
        Modes,
        [Off("if_version")],
        "Without `if_version` the mode is `Unsupported` and changes nothing."
    ),
    rule!(
        conditions_leave_nothing,
        Modes,
        [On("create_new")],
        "A conditional write that is dropped, and one that fails, leave nothing and list nothing."
    ),
];

fn bytes(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

/// The version of an object, which must have one.
pub(super) async fn version(case: &Case, key: &str) -> Verdict<Version> {
    let version = case.info(key).await?.version;
    version
        .ok_or_else(|| Violation::new(format!("the version of {key:?}: expected one, found none")))
}

/// The version that a write says it published.
pub(super) fn published(written: &Written) -> Verdict<Version> {
    let version = written.version.clone();
    version
        .ok_or_else(|| Violation::new("the version of a finished write: expected one, found none"))
}

async fn create_new_creates(case: &Case) -> Verdict {
    for (index, route) in ROUTES.into_iter().enumerate() {
        for size in [0, 10, 300_000] {
            let key = format!("new/{index}/{size}/key");
            for _ in 0..2 {
                let written = case
                    .store(route, &key, pattern(1, size), WriteMode::CreateNew)
                    .await?;
                equal("the size told", written.size, size as u64)?;
                case.holds(&key, &pattern(1, size)).await?;
                case.delete(&key).await?;
            }
        }
    }
    Ok(())
}

async fn create_new_on_existing(case: &Case) -> Verdict {
    for old in ["", "old"] {
        case.put("d/key", old).await?;
        for route in ROUTES {
            for size in [0, 10, 300_000] {
                let result = case
                    .store(route, "d/key", pattern(1, size), WriteMode::CreateNew)
                    .await;
                fails(
                    "`CreateNew` on an existing object",
                    result,
                    ErrorKind::AlreadyExists,
                )?;
                case.holds("d/key", old.as_bytes()).await?;
            }
        }
    }
    Ok(())
}

/// A writer with some bytes in it.
async fn begun(case: &Case, key: &str, mode: WriteMode) -> Verdict<Writer> {
    let mut writer = case.writer(key, mode).await?;
    writer.write_bytes(pattern(9, 300_000)).await?;
    writer.flush().await?;
    Ok(writer)
}

async fn create_new_decides_at_finish(case: &Case) -> Verdict {
    let mut slow = begun(case, "key", WriteMode::CreateNew).await?;
    case.put("key", "first").await?;
    fails(
        "finish of the slower one",
        slow.finish().await,
        ErrorKind::AlreadyExists,
    )?;
    case.holds("key", b"first").await?;
    let (mut one, mut two) = (
        begun(case, "k2", WriteMode::CreateNew).await?,
        begun(case, "k2", WriteMode::CreateNew).await?,
    );
    two.finish().await?;
    fails(
        "finish of the first opened",
        one.finish().await,
        ErrorKind::AlreadyExists,
    )?;
    case.holds("k2", &pattern(9, 300_000)).await
}

/// Requires that a mode is refused on every way to write, and that nothing changes.
pub(super) async fn refused(case: &Case, mode: &WriteMode) -> Verdict {
    case.put("old", "old").await?;
    case.put("source", "source").await?;
    for key in ["old", "new"] {
        let what = format!("{mode:?} on {key:?}");
        for route in ROUTES {
            let result = case.store(route, key, bytes("x"), mode.clone()).await;
            fails(&what, result, ErrorKind::Unsupported)?;
        }
        let (from, to) = (ObjectPath::new("source")?, ObjectPath::new(key)?);
        let options = || WriteOptions::from(mode.clone());
        if case.features().copy {
            let result = case.extended()?.copy(&from, &to, options()).await;
            fails(
                &format!("a copy with {what}"),
                result,
                ErrorKind::Unsupported,
            )?;
        }
        if case.features().rename {
            let result = case.extended()?.rename(&from, &to, options()).await;
            fails(
                &format!("a rename with {what}"),
                result,
                ErrorKind::Unsupported,
            )?;
        }
    }
    case.holds("old", b"old").await?;
    case.holds("source", b"source").await?;
    case.absent("new").await
}

async fn create_new_refused(case: &Case) -> Verdict {
    refused(case, &WriteMode::CreateNew).await
}

async fn if_version_refused(case: &Case) -> Verdict {
    refused(case, &WriteMode::IfVersion(Version::new("any"))).await
}

async fn if_version_replaces(case: &Case) -> Verdict {
    case.put("d/key", "0").await?;
    for route in [Route::Whole, Route::Streamed, Route::Whole] {
        for size in [0, 10, 300_000] {
            let old = version(case, "d/key").await?;
            let mode = WriteMode::IfVersion(old.clone());
            let written = case.store(route, "d/key", pattern(2, size), mode).await?;
            case.holds("d/key", &pattern(2, size)).await?;
            let new = published(&written)?;
            ensure(new != old, || {
                format!("expected another version than {old:?}, found it again")
            })?;
            equal("the version in stat", version(case, "d/key").await?, new)?;
        }
    }
    Ok(())
}

async fn if_version_on_another(case: &Case) -> Verdict {
    case.put("key", "one").await?;
    let old = version(case, "key").await?;
    case.put("key", "two").await?;
    let actual = version(case, "key").await?;
    for expected in [old, Version::new("no such version"), Version::new("")] {
        for route in ROUTES {
            let mode = WriteMode::IfVersion(expected.clone());
            let result = case.store(route, "key", bytes("x"), mode).await;
            let error = fails(
                "`IfVersion` on another version",
                result,
                ErrorKind::PreconditionFailed,
            )?;
            let (told, found) = error.precondition().unwrap_or((None, None));
            equal("the expected version told", told, Some(&expected))?;
            // A store that does not say what it found leaves it out.
            ensure(found.is_none_or(|found| *found == actual), || {
                format!("the actual version told: expected {actual:?}, found {found:?}")
            })?;
            case.holds("key", b"two").await?;
        }
    }
    Ok(())
}

async fn if_version_on_missing(case: &Case) -> Verdict {
    case.put("gone", "x").await?;
    let gone = version(case, "gone").await?;
    case.delete("gone").await?;
    for key in ["gone", "never", "never/had/parents"] {
        for route in ROUTES {
            let mode = WriteMode::IfVersion(gone.clone());
            let result = case.store(route, key, bytes("x"), mode).await;
            let what = format!("`IfVersion` on the missing {key:?}");
            let error = fails(&what, result, ErrorKind::PreconditionFailed)?;
            let (told, found) = error.precondition().unwrap_or((None, None));
            equal("the versions told", (told, found), (Some(&gone), None))?;
        }
    }
    equal("the objects", case.objects().await?, Vec::<String>::new())
}

async fn if_version_after_recreation(case: &Case) -> Verdict {
    for _ in 0..case.effort().rounds {
        case.put("key", "same").await?;
        let old = version(case, "key").await?;
        case.delete("key").await?;
        case.put("key", "same").await?;
        let result = case
            .store(Route::Whole, "key", bytes("x"), WriteMode::IfVersion(old))
            .await;
        fails(
            "`IfVersion` of the object before",
            result,
            ErrorKind::PreconditionFailed,
        )?;
        case.holds("key", b"same").await?;
    }
    Ok(())
}

async fn if_version_decides_at_finish(case: &Case) -> Verdict {
    case.put("key", "one").await?;
    let old = version(case, "key").await?;
    let mut slow = begun(case, "key", WriteMode::IfVersion(old.clone())).await?;
    let mut late = begun(case, "key", WriteMode::IfVersion(old.clone())).await?;
    case.put("key", "two").await?;
    fails(
        "finish of the slower one",
        slow.finish().await,
        ErrorKind::PreconditionFailed,
    )?;
    case.holds("key", b"two").await?;
    case.delete("key").await?;
    fails(
        "finish after deletion",
        late.finish().await,
        ErrorKind::PreconditionFailed,
    )?;
    case.absent("key").await
}

async fn if_version_takes_a_stored_token(case: &Case) -> Verdict {
    let written = case.put("key", "one").await?;
    let text = published(&written)?.as_str().to_owned();
    case.store(
        Route::Whole,
        "key",
        bytes("two"),
        WriteMode::IfVersion(Version::new(text)),
    )
    .await?;
    case.holds("key", b"two").await
}

async fn conditions_leave_nothing(case: &Case) -> Verdict {
    case.put("d/old", "old").await?;
    for key in ["d/new", "new"] {
        drop(begun(case, key, WriteMode::CreateNew).await?);
        case.absent(key).await?;
        let aborted = begun(case, key, WriteMode::CreateNew).await?;
        aborted.abort().await?;
        case.absent(key).await?;
        let mut writer = begun(case, key, WriteMode::CreateNew).await?;
        case.put(key, "first").await?;
        let finish = writer.finish().await;
        fails("finish of the slower one", finish, ErrorKind::AlreadyExists)?;
        case.holds(key, b"first").await?;
        case.delete(key).await?;
    }
    equal(
        "the objects",
        case.objects().await?,
        vec!["d/old".to_owned()],
    )
}

//! What a backend tells of itself and of its failures; presigned URLs.

use std::time::Duration;

use storage_core::{
    Error, ErrorKind, ObjectPath, Operation, PresignOptions, PresignedMethod, ReadOptions,
    WriteOptions,
};

use crate::case::{Case, pattern};
use crate::rule::{
    Need::{Extended, Off, On},
    Rule, rule,
};
use crate::violation::{Verdict, ensure, equal, fails};

pub(crate) const RULES: &[Rule] = &[
    rule!(
        error_names_its_place,
        Errors,
        [],
        "An error names operation, backend and path, in one line."
    ),
    rule!(
        error_names_its_place_extended,
        Errors,
        [Extended],
        "An error of the extended part names operation, backend and path, in one line."
    ),
    rule!(
        name_is_a_word,
        Features,
        [],
        "A backend's name is a lower-case word, and so is what its errors carry."
    ),
    rule!(
        features_are_constant,
        Features,
        [Extended],
        "Features stay as they are while the backend is open."
    ),
    rule!(
        features_agree,
        Features,
        [Extended],
        "`if_version` comes with `versions`, `directory_times` with `directories` and `set_modified`; `set_modified` comes with a precision."
    ),
    rule!(
        presign_gives_a_url,
        Features,
        [On("presign")],
        "`presign` gives an absolute URL, another one for another object or method."
    ),
    rule!(
        presign_checks_expiry,
        Features,
        [On("presign")],
        "An expiry of zero, or far past any store's maximum, is a `Config` error."
    ),
    rule!(
        presign_refused,
        Features,
        [Extended, Off("presign")],
        "Without `presign`, the call is `Unsupported`."
    ),
];

/// Requires operation, backend and path, and one line that shows them.
fn names_place(error: &Error, operation: Operation, path: &str) -> Verdict {
    let line = error.to_string();
    equal(
        &format!("the operation of `{line}`"),
        error.operation(),
        Some(operation),
    )?;
    equal(&format!("the path of `{line}`"), error.path(), Some(path))?;
    ensure(error.backend().is_some_and(|name| !name.is_empty()), || {
        format!(
            "expected `{line}` to name its backend, found {:?}",
            error.backend()
        )
    })?;
    ensure(!line.contains('\n') && line.contains(path), || {
        format!("expected one line with the path {path:?}, found {line:?}")
    })
}

async fn error_names_its_place(case: &Case) -> Verdict {
    let missing = ErrorKind::NotFound;
    let error = fails("read", case.get("d/missing").await, missing)?;
    names_place(&error, Operation::Read, "d/missing")?;
    let reader = case.reader("d/missing", ReadOptions::default()).await;
    names_place(
        &fails("reader", reader, missing)?,
        Operation::Read,
        "d/missing",
    )?;
    let options = WriteOptions::default().size(3);
    let mut writer = case.writer("d/new", options).await?;
    let too_much = async {
        writer.write_bytes(pattern(1, 9)).await?;
        writer.finish().await
    };
    let error = fails("finish", too_much.await, ErrorKind::Corrupt)?;
    names_place(&error, Operation::Write, "d/new")?;
    let wrong = storage_hash::hash(storage_core::HashType::Md5.into(), b"other");
    let result = case
        .write("d/new", "x", WriteOptions::default().expected(wrong))
        .await;
    names_place(
        &fails("write", result, ErrorKind::Corrupt)?,
        Operation::Write,
        "d/new",
    )?;
    if case.features().directories {
        case.put("d/x", "x").await?;
        let error = fails("delete", case.delete("d").await, ErrorKind::IsDirectory)?;
        names_place(&error, Operation::Delete, "d")?;
    }
    Ok(())
}

async fn error_names_its_place_extended(case: &Case) -> Verdict {
    let (path, to) = (ObjectPath::new("d/missing")?, ObjectPath::new("to")?);
    let extended = case.extended()?;
    let options = WriteOptions::default;
    let missing = fails("stat", extended.stat(&path).await, ErrorKind::NotFound)?;
    names_place(&missing, Operation::Stat, "d/missing")?;
    // Whether the call is refused or finds nothing, it fails, and says where.
    let time = std::time::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    for (operation, result) in [
        (
            Operation::Rmdir,
            extended.rmdir(&path, Default::default()).await,
        ),
        (
            Operation::Copy,
            extended.copy(&path, &to, options()).await.map(drop),
        ),
        (
            Operation::Rename,
            extended.rename(&path, &to, options()).await,
        ),
        (
            Operation::SetModified,
            extended.set_modified(&path, time).await,
        ),
    ] {
        match result {
            Ok(()) => ensure(false, || {
                format!("{operation} of a missing path: expected a failure, found success")
            })?,
            Err(error) => names_place(&error, operation, "d/missing")?,
        }
    }
    Ok(())
}

async fn name_is_a_word(case: &Case) -> Verdict {
    let error = fails("read", case.get("missing").await, ErrorKind::NotFound)?;
    for name in [case.backend().name(), error.backend().unwrap_or("")] {
        let word = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
        ensure(!name.is_empty() && name.bytes().all(word), || {
            format!("the name: expected a lower-case word, found {name:?}")
        })?;
    }
    equal(
        "the name asked again",
        case.backend().name(),
        case.backend().name(),
    )
}

async fn features_are_constant(case: &Case) -> Verdict {
    case.put("d/key", "x").await?;
    case.delete("d/key").await?;
    let _ = case.get("d/key").await;
    equal(
        "the features later",
        case.extended()?.features(),
        case.features(),
    )
}

async fn features_agree(case: &Case) -> Verdict {
    let features = case.features();
    ensure(features.versions || !features.if_version, || {
        "expected `versions` with `if_version`, found it false".to_owned()
    })?;
    let both = features.directories && features.set_modified;
    ensure(both || !features.directory_times, || {
        "expected `directories` and `set_modified` with `directory_times`".to_owned()
    })?;
    let precision = case.extended()?.modified_precision();
    ensure(!features.set_modified || precision > Duration::ZERO, || {
        "the precision of modified times: expected more than zero, found zero".to_owned()
    })
}

async fn presign(
    case: &Case,
    key: &str,
    method: PresignedMethod,
    expiry: Duration,
) -> storage_core::Result<String> {
    let options = PresignOptions::new(method, expiry);
    case.extended()?
        .presign(&ObjectPath::new(key)?, options)
        .await
}

async fn presign_gives_a_url(case: &Case) -> Verdict {
    case.put("d/a key%20#1", "x").await?;
    let mut urls = Vec::new();
    for key in ["d/a key%20#1", "d/a key 1"] {
        for method in [PresignedMethod::Get, PresignedMethod::Put] {
            let url = presign(case, key, method, Duration::from_secs(60)).await?;
            let plain = url.bytes().all(|byte| byte.is_ascii_graphic());
            let absolute = url
                .split_once("://")
                .is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty());
            ensure(plain && absolute, || {
                format!("expected an absolute URL, found {url:?}")
            })?;
            ensure(!urls.contains(&url), || {
                format!("expected another URL, found {url:?} again")
            })?;
            urls.push(url);
        }
    }
    Ok(())
}

async fn presign_checks_expiry(case: &Case) -> Verdict {
    for expiry in [
        Duration::ZERO,
        Duration::from_secs(u64::from(u32::MAX) * 100),
    ] {
        let result = presign(case, "key", PresignedMethod::Get, expiry).await;
        fails(
            &format!("an expiry of {expiry:?}"),
            result,
            ErrorKind::Config,
        )?;
    }
    Ok(())
}

async fn presign_refused(case: &Case) -> Verdict {
    let result = presign(case, "key", PresignedMethod::Get, Duration::from_secs(60)).await;
    fails("presign", result, ErrorKind::Unsupported)?;
    Ok(())
}

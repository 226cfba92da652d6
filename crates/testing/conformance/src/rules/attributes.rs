//! Content type, cache control, metadata, modified time: what a write carries and reads give back.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use storage_core::{
    AttributePolicy, ErrorKind, Metadata, ObjectInfo, ObjectPath, ReadOptions, WriteOptions,
};

use crate::case::{Case, ROUTES, pattern};
use crate::rule::{
    Need::{Extended, Off, On},
    Rule, rule,
};
use crate::violation::{Verdict, ensure, equal, fails, fails_with};

pub(crate) const RULES: &[Rule] = &[
    rule!(
        content_type_comes_back,
        Metadata,
        [On("content_type")],
        "Content type and cache control come back in `stat` and in the reader."
    ),
    rule!(
        content_type_refused,
        Metadata,
        [Off("content_type")],
        "Without `content_type`, content type and cache control are refused when required, and left out when not."
    ),
    rule!(
        metadata_comes_back,
        Metadata,
        [On("custom_metadata")],
        "Metadata, with any text as values, comes back in `stat` and in the reader."
    ),
    rule!(
        metadata_keys_are_checked,
        Metadata,
        [On("custom_metadata")],
        "Metadata with a bad key or a control character is refused as `Config` and nothing is written."
    ),
    rule!(
        metadata_refused,
        Metadata,
        [Off("custom_metadata")],
        "Without `custom_metadata`, metadata is refused when required, and left out when not."
    ),
    rule!(
        attributes_are_replaced,
        Metadata,
        [Extended],
        "A write replaces all attributes: none of the object before remains."
    ),
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
        modified_is_never_made_up,
        Metadata,
        [],
        "A modified time that nobody set is that of the write or unknown, never the beginning of time."
    ),
    rule!(
        stat_agrees_with_reader,
        Metadata,
        [Extended],
        "`stat` and the reader tell the same of an object; of a missing one `stat` is `NotFound`."
    ),
];

/// What `stat` tells, and what the reader tells, of an object.
async fn told(case: &Case, key: &str) -> Verdict<[ObjectInfo; 2]> {
    let reader = case.reader(key, ReadOptions::default()).await?;
    Ok([case.info(key).await?, reader.info().clone()])
}

async fn content_type_comes_back(case: &Case) -> Verdict {
    for (content_type, cache_control) in [
        ("text/plain; charset=utf-8", "no-store"),
        (
            "application/x-thing+json",
            "public, max-age=31536000, immutable",
        ),
    ] {
        for route in ROUTES {
            let options = WriteOptions::default()
                .content_type(content_type)
                .cache_control(cache_control);
            case.store(route, "key", pattern(1, 9), options).await?;
            for info in told(case, "key").await? {
                equal(
                    "the content type",
                    info.content_type.as_deref(),
                    Some(content_type),
                )?;
                equal(
                    "the cache control",
                    info.cache_control.as_deref(),
                    Some(cache_control),
                )?;
            }
        }
    }
    case.holds("key", &pattern(1, 9)).await
}

/// Requires that `options` are refused when required and left out when not.
async fn left_out(case: &Case, options: &WriteOptions) -> Verdict<ObjectInfo> {
    for route in ROUTES {
        let result = case
            .store(route, "refused", pattern(1, 9), options.clone())
            .await;
        fails("a required attribute", result, ErrorKind::Unsupported)?;
        case.absent("refused").await?;
        let options = options.clone().attributes(AttributePolicy::IfSupported);
        case.store(route, "key", pattern(1, 9), options).await?;
        case.holds("key", &pattern(1, 9)).await?;
    }
    Ok(case.info("key").await?)
}

async fn content_type_refused(case: &Case) -> Verdict {
    for options in [
        WriteOptions::default().content_type("text/plain"),
        WriteOptions::default().cache_control("no-store"),
    ] {
        let info = left_out(case, &options).await?;
        equal("the content type", info.content_type, None)?;
        equal("the cache control", info.cache_control, None)?;
    }
    Ok(())
}

fn metadata(pairs: &[(&str, &str)]) -> Metadata {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    pairs.iter().map(owned).collect()
}

async fn metadata_comes_back(case: &Case) -> Verdict {
    let many: Vec<(String, String)> = (0..16).map(|n| (format!("k-{n}"), "v".repeat(n))).collect();
    for metadata in [
        metadata(&[("author", "Ada"), ("a_b-c-9", "x"), ("empty", "")]),
        metadata(&[("text", "naïve – 日本 🦀"), ("odd", " a=b;c,d\"e'%20+ ")]),
        many.into_iter().collect(),
    ] {
        for route in ROUTES {
            let options = WriteOptions::default().metadata(metadata.clone());
            case.store(route, "key", pattern(1, 9), options).await?;
            for info in told(case, "key").await? {
                equal("the metadata", &info.metadata, &metadata)?;
            }
        }
    }
    case.holds("key", &pattern(1, 9)).await
}

async fn metadata_keys_are_checked(case: &Case) -> Verdict {
    for bad in [
        ("Upper", "x"),
        ("", "x"),
        ("a b", "x"),
        ("é", "x"),
        ("a.b", "x"),
        ("a", "x\ny"),
        ("a", "\0"),
    ] {
        for route in ROUTES {
            let options = WriteOptions::default().metadata(metadata(&[bad]));
            let result = case.store(route, "key", pattern(1, 9), options).await;
            fails(&format!("metadata {bad:?}"), result, ErrorKind::Config)?;
            case.absent("key").await?;
        }
    }
    Ok(())
}

async fn metadata_refused(case: &Case) -> Verdict {
    let options = WriteOptions::default().metadata(metadata(&[("author", "Ada")]));
    let info = left_out(case, &options).await?;
    equal("the metadata", info.metadata, Metadata::new())
}

/// All attributes there are, left out where the backend cannot keep them.
fn everything() -> WriteOptions {
    WriteOptions::default()
        .attributes(AttributePolicy::IfSupported)
        .content_type("text/plain")
        .cache_control("no-store")
        .metadata(metadata(&[("author", "Ada")]))
        .hashes(storage_core::HashType::Sha256)
        .modified(UNIX_EPOCH + Duration::from_secs(1_000_000_000))
}

async fn attributes_are_replaced(case: &Case) -> Verdict {
    for route in ROUTES {
        case.store(route, "key", pattern(1, 9), everything())
            .await?;
        let old = case.info("key").await?;
        case.store(route, "key", pattern(2, 9), WriteOptions::default())
            .await?;
        let new = case.info("key").await?;
        equal("the content type", new.content_type, None)?;
        equal("the cache control", new.cache_control, None)?;
        equal("the metadata", new.metadata, Metadata::new())?;
        let right = storage_hash::hash(new.hashes.types(), &pattern(2, 9));
        equal("the digests kept", new.hashes, right)?;
        if case.features().set_modified {
            ensure(new.modified != old.modified, || {
                format!(
                    "expected another modified time than {:?}, which the write before set",
                    old.modified
                )
            })?;
        }
    }
    Ok(())
}

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
    let options = everything().attributes(AttributePolicy::IfSupported);
    case.write("d/key", pattern(1, 9), options).await?;
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

async fn stat_agrees_with_reader(case: &Case) -> Verdict {
    for size in [0, 9, 300_000] {
        case.write("d/key", pattern(1, size), everything()).await?;
        let [stat, reader] = told(case, "d/key").await?;
        equal("what `stat` tells", &stat, &reader)?;
        equal("whether it is a directory", stat.is_dir, false)?;
        equal("the size", stat.size.unwrap_or(size as u64), size as u64)?;
    }
    for key in ["missing", "missing/parent", "d/key/below", "d/ke"] {
        let result = case.extended()?.stat(&ObjectPath::new(key)?).await;
        fails(&format!("stat({key:?})"), result, ErrorKind::NotFound)?;
    }
    Ok(())
}

//! Content type, cache control, metadata, modified time: what a write carries and reads give back.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use storage_core::{
    AttributePolicy, ErrorKind, Metadata, ObjectInfo, ObjectPath, ReadOptions, WriteOptions,
};

use crate::case::{Case, ROUTES, pattern};
use crate::rule::{
    Need::{Extended, Off, On},
    Rule, rule,
};
use crate::violation::{Verdict, ensure, equal, fails};

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
        stat_agrees_with_reader,
        Metadata,
        [Extended],
        "`stat` and the reader tell the same of an object; of a missing one `stat` is `NotFound`."
    ),
];

/// What `stat` tells, and what the reader tells, of an object.
pub(super) async fn told(case: &Case, key: &str) -> Verdict<[ObjectInfo; 2]> {
    let stat = case.info(key).await?;
    let reader = case.reader(key, ReadOptions::default()).await?;
    Ok([stat, reader.info().clone()])
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

/// Requires that `options` are refused when required, also by a copy, and left out when not.
pub(super) async fn left_out(case: &Case, options: &WriteOptions) -> Verdict<ObjectInfo> {
    for route in ROUTES {
        let required = options.clone();
        let result = case.store(route, "refused", pattern(1, 9), required).await;
        fails("a required attribute", result, ErrorKind::Unsupported)?;
        case.absent("refused").await?;
        let optional = options.clone().attributes(AttributePolicy::IfSupported);
        case.store(route, "key", pattern(1, 9), optional).await?;
        case.holds("key", &pattern(1, 9)).await?;
    }
    case.restore("key", &pattern(1, 9)).await?;
    if case.features().copy {
        let (from, to) = (ObjectPath::new("key")?, ObjectPath::new("refused")?);
        let result = case.extended()?.copy(&from, &to, options.clone()).await;
        fails(
            "a required attribute of a copy",
            result,
            ErrorKind::Unsupported,
        )?;
        case.absent("refused").await?;
    }
    Ok(case.info("key").await?)
}

async fn content_type_refused(case: &Case) -> Verdict {
    for options in [
        WriteOptions::default().content_type("text/plain"),
        WriteOptions::default().cache_control("no-store"),
    ] {
        let info = left_out(case, &options).await?;
        // A store may tell what it makes up by itself, such as a web server.
        let given = options.into_parts();
        differs("the content type", &info.content_type, &given.content_type)?;
        differs(
            "the cache control",
            &info.cache_control,
            &given.cache_control,
        )?;
        case.delete("key").await?;
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
pub(super) fn everything() -> WriteOptions {
    WriteOptions::default()
        .attributes(AttributePolicy::IfSupported)
        .content_type("text/plain")
        .cache_control("no-store")
        .metadata(metadata(&[("author", "Ada")]))
        .hashes(storage_core::HashType::Sha256)
        .modified(UNIX_EPOCH + Duration::from_secs(1_000_000_000))
}

/// Requires that an attribute is not the one that was given and had to be left out.
fn differs(what: &str, found: &Option<Arc<str>>, given: &Option<Arc<str>>) -> Verdict {
    ensure(given.is_none() || found != given, || {
        format!("{what}: expected it to be left out, found {found:?}")
    })
}

async fn attributes_are_replaced(case: &Case) -> Verdict {
    for route in ROUTES {
        case.store(route, "key", pattern(1, 9), everything())
            .await?;
        let old = case.info("key").await?;
        case.store(route, "key", pattern(2, 9), WriteOptions::default())
            .await?;
        let new = case.info("key").await?;
        if case.features().content_type {
            equal("the content type", new.content_type, None)?;
            equal("the cache control", new.cache_control, None)?;
        }
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

//! Copies within the backend.

use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use storage_core::{
    AttributePolicy, ErrorKind, HashType, ListOptions, Metadata, ObjectPath, Result, WriteMode,
    WriteOptions, Written,
};

use super::conditions::version;
use super::modified::same_time;
use crate::case::{Case, pattern};
use crate::rule::{
    Need::{Extended, Off, On},
    Rule, rule,
};
use crate::violation::{Verdict, ensure, equal, fails, fails_with};

pub(crate) const RULES: &[Rule] = &[
    rule!(
        copy_gives_the_same_bytes,
        Copy,
        [On("copy")],
        "A copy has the bytes and the size of its source, which stays; it overwrites by default and creates parents."
    ),
    rule!(
        copy_keeps_attributes,
        Copy,
        [On("copy")],
        "A copy keeps content type, cache control, metadata, digests and modified time."
    ),
    rule!(
        copy_takes_other_attributes,
        Copy,
        [On("copy"), On("content_type"), On("custom_metadata")],
        "Attributes given with a copy override those of the source; the others are kept."
    ),
    rule!(
        copy_of_missing,
        Copy,
        [On("copy")],
        "Copying a missing object is `NotFound` and leaves the target."
    ),
    rule!(
        copy_onto_itself,
        Copy,
        [On("copy")],
        "Copying an object onto itself changes nothing."
    ),
    rule!(
        copy_honours_create_new,
        Copy,
        [On("copy"), On("create_new")],
        "A copy with `CreateNew` onto an existing object is `AlreadyExists` and leaves it."
    ),
    rule!(
        copy_honours_if_version,
        Copy,
        [On("copy"), On("if_version")],
        "A copy with `IfVersion` replaces that version and no other."
    ),
    rule!(
        copy_honours_or_refuses_append,
        Copy,
        [On("copy"), On("append")],
        "A copy with `Append` adds the source to the target, or is `Unsupported` and changes nothing."
    ),
    rule!(
        copy_honours_or_refuses_checks,
        Copy,
        [On("copy")],
        "`size` and `expected` of a copy that do not fit are `Corrupt` or `Unsupported`, and publish nothing."
    ),
    rule!(
        copy_is_apart,
        Copy,
        [On("copy"), On("append")],
        "An append to a copy does not change its source, nor one to the source the copy."
    ),
    rule!(
        copy_of_a_directory,
        Copy,
        [On("copy"), On("directories")],
        "Copying a directory, or onto one, is `IsDirectory`."
    ),
    rule!(
        copy_large,
        Copy,
        [On("copy")],
        "A large object is copied whole."
    ),
    rule!(
        copy_refused,
        Copy,
        [Extended, Off("copy")],
        "Without `copy`, the call is `Unsupported` and writes nothing."
    ),
];

async fn copy(
    case: &Case,
    from: &str,
    to: &str,
    options: impl Into<WriteOptions>,
) -> Result<Written> {
    let (from, to) = (ObjectPath::new(from)?, ObjectPath::new(to)?);
    case.extended()?.copy(&from, &to, options.into()).await
}

fn plain() -> WriteOptions {
    WriteOptions::default()
}

async fn copy_gives_the_same_bytes(case: &Case) -> Verdict {
    for size in [0, 10, 300_000] {
        case.put("d/from", pattern(1, size)).await?;
        for to in ["to", "new/parents/to", "d/to", "to"] {
            let written = copy(case, "d/from", to, plain()).await?;
            equal("the size told", written.size, size as u64)?;
            case.holds(to, &pattern(1, size)).await?;
            case.holds("d/from", &pattern(1, size)).await?;
            case.put(to, "something longer or shorter").await?;
        }
    }
    let all = ["d/from", "d/to", "new/parents/to", "to"]
        .map(str::to_owned)
        .to_vec();
    equal("the objects", case.objects().await?, all)
}

/// Every attribute, left out where the backend cannot keep it.
fn attributes() -> WriteOptions {
    let author = Metadata::from([("author".to_owned(), "Ada".to_owned())]);
    plain()
        .attributes(AttributePolicy::IfSupported)
        .content_type("text/plain")
        .cache_control("no-store")
        .metadata(author)
        .hashes(HashType::Sha256)
        .modified(UNIX_EPOCH + Duration::new(1_000_000_000, 123_456_789))
}

async fn copy_keeps_attributes(case: &Case) -> Verdict {
    case.write("from", pattern(1, 10), attributes()).await?;
    let (before, other) = (case.info("from").await?, plain().content_type("x/y"));
    let other = other.attributes(AttributePolicy::IfSupported);
    case.write("to", "old", other).await?;
    for to in ["to", "new"] {
        copy(case, "from", to, plain()).await?;
        let copied = case.info(to).await?;
        equal(
            "the content type",
            &copied.content_type,
            &before.content_type,
        )?;
        equal(
            "the cache control",
            &copied.cache_control,
            &before.cache_control,
        )?;
        equal("the metadata", &copied.metadata, &before.metadata)?;
        equal("the digests", &copied.hashes, &before.hashes)?;
        if let Some(modified) = before.modified.filter(|_| case.features().set_modified) {
            same_time(case, "the modified time", copied.modified, modified)?;
        }
    }
    equal(
        "what is told of the source",
        case.info("from").await?,
        before,
    )
}

async fn copy_takes_other_attributes(case: &Case) -> Verdict {
    case.write("from", pattern(1, 10), attributes()).await?;
    copy(case, "from", "typed", plain().content_type("image/png")).await?;
    let typed = case.info("typed").await?;
    equal(
        "the content type given",
        typed.content_type.as_deref(),
        Some("image/png"),
    )?;
    equal(
        "the cache control kept",
        typed.cache_control.as_deref(),
        Some("no-store"),
    )?;
    equal(
        "the metadata kept",
        typed.metadata.get("author").map(String::as_str),
        Some("Ada"),
    )?;
    let editor = Metadata::from([("editor".to_owned(), "Bob".to_owned())]);
    copy(case, "from", "described", plain().metadata(editor.clone())).await?;
    let described = case.info("described").await?;
    equal("the metadata given", described.metadata, editor)?;
    equal(
        "the content type kept",
        described.content_type.as_deref(),
        Some("text/plain"),
    )?;
    case.holds("described", &pattern(1, 10)).await
}

async fn copy_of_missing(case: &Case) -> Verdict {
    case.put("to", "old").await?;
    for from in ["missing", "missing/parent", "to/below"] {
        for to in ["to", "new"] {
            let result = copy(case, from, to, plain()).await;
            fails(
                &format!("copying {from:?} to {to:?}"),
                result,
                ErrorKind::NotFound,
            )?;
        }
    }
    fails(
        "copying a missing object onto itself",
        copy(case, "missing", "missing", plain()).await,
        ErrorKind::NotFound,
    )?;
    case.holds("to", b"old").await?;
    equal("the objects", case.objects().await?, vec!["to".to_owned()])
}

async fn copy_onto_itself(case: &Case) -> Verdict {
    case.write("key", pattern(1, 10), attributes()).await?;
    let before = case.info("key").await?;
    let written = copy(case, "key", "key", plain()).await?;
    equal("the size told", written.size, 10)?;
    if case.features().versions {
        equal("the version told", &written.version, &before.version)?;
    }
    equal(
        "what is told of the object",
        case.info("key").await?,
        before,
    )?;
    case.holds("key", &pattern(1, 10)).await
}

async fn copy_honours_create_new(case: &Case) -> Verdict {
    case.put("from", "from").await?;
    case.put("to", "old").await?;
    let result = copy(case, "from", "to", WriteMode::CreateNew).await;
    fails("a copy with `CreateNew`", result, ErrorKind::AlreadyExists)?;
    case.holds("to", b"old").await?;
    copy(case, "from", "d/new", WriteMode::CreateNew).await?;
    case.holds("d/new", b"from").await
}

async fn copy_honours_if_version(case: &Case) -> Verdict {
    case.put("from", "from").await?;
    case.put("to", "one").await?;
    let old = version(case, "to").await?;
    case.put("to", "two").await?;
    for to in ["to", "new"] {
        let result = copy(case, "from", to, WriteMode::IfVersion(old.clone())).await;
        fails(
            &format!("a copy to {to:?} with `IfVersion`"),
            result,
            ErrorKind::PreconditionFailed,
        )?;
    }
    case.holds("to", b"two").await?;
    case.absent("new").await?;
    copy(
        case,
        "from",
        "to",
        WriteMode::IfVersion(version(case, "to").await?),
    )
    .await?;
    case.holds("to", b"from").await
}

async fn copy_honours_or_refuses_append(case: &Case) -> Verdict {
    case.put("from", "+from").await?;
    case.put("to", "old").await?;
    match copy(case, "from", "to", WriteMode::Append).await {
        Ok(written) => {
            equal("the size told", written.size, 8)?;
            case.holds("to", b"old+from").await?;
        }
        Err(error) => {
            fails(
                "a copy with `Append`",
                Err::<(), _>(error),
                ErrorKind::Unsupported,
            )?;
            case.holds("to", b"old").await?;
        }
    }
    case.holds("from", b"+from").await
}

async fn copy_honours_or_refuses_checks(case: &Case) -> Verdict {
    case.put("from", pattern(1, 10)).await?;
    case.put("to", "old").await?;
    let wrong = storage_hash::hash(HashType::Sha256.into(), b"other bytes");
    let kinds = [ErrorKind::Corrupt, ErrorKind::Unsupported];
    for (what, options) in [
        ("another `size`", plain().size(9)),
        ("other digests `expected`", plain().expected(wrong)),
    ] {
        for to in ["to", "new"] {
            let result = copy(case, "from", to, options.clone()).await;
            fails_with(&format!("a copy with {what}"), result, &kinds)?;
        }
    }
    case.holds("to", b"old").await?;
    case.absent("new").await
}

async fn copy_is_apart(case: &Case) -> Verdict {
    for size in [10, 300_000] {
        let bytes = pattern(1, size);
        case.put("from", bytes.clone()).await?;
        copy(case, "from", "to", plain()).await?;
        let more = Bytes::from_static(b"+more");
        case.write("to", more.clone(), WriteMode::Append).await?;
        case.holds("from", &bytes).await?;
        case.holds("to", &[&bytes[..], &more].concat()).await?;
        copy(case, "from", "to", plain()).await?;
        case.write("from", more.clone(), WriteMode::Append).await?;
        case.holds("to", &bytes).await?;
        case.delete("from").await?;
        case.holds("to", &bytes).await?;
    }
    Ok(())
}

async fn copy_of_a_directory(case: &Case) -> Verdict {
    case.put("d/x", "x").await?;
    case.put("object", "object").await?;
    fails(
        "copying a directory",
        copy(case, "d", "e", plain()).await,
        ErrorKind::IsDirectory,
    )?;
    fails(
        "copying onto a directory",
        copy(case, "object", "d", plain()).await,
        ErrorKind::IsDirectory,
    )?;
    let below = copy(case, "d/x", "object/below", plain()).await;
    fails("copying below an object", below, ErrorKind::NotDirectory)?;
    case.holds("d/x", b"x").await?;
    let level = case.keys("", ListOptions::default()).await?;
    equal(
        "the top level",
        level,
        vec!["d/".to_owned(), "object".to_owned()],
    )
}

async fn copy_large(case: &Case) -> Verdict {
    let bytes = pattern(1, case.effort().large);
    case.put("from", bytes.clone()).await?;
    let written = copy(case, "from", "to", plain()).await?;
    equal("the size told", written.size, bytes.len() as u64)?;
    case.holds("to", &bytes).await
}

async fn copy_refused(case: &Case) -> Verdict {
    case.put("from", "from").await?;
    fails(
        "copy",
        copy(case, "from", "to", plain()).await,
        ErrorKind::Unsupported,
    )?;
    let objects = case.objects().await?;
    ensure(objects == ["from"], || {
        format!("expected the source alone, found {objects:?}")
    })
}

//! Reading an object, whole or in part.

use std::ops::Range;
use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use storage_core::{ByteRange, ErrorKind, ObjectPath, ReadOptions, Version};
use tokio::io::{AsyncBufReadExt, AsyncReadExt};

use crate::case::{Case, pattern};
use crate::rule::{
    Need::{Off, On},
    Rule, rule,
};
use crate::violation::{Verdict, Violation, equal, fails, same_bytes};

pub(crate) const RULES: &[Rule] = &[
    rule!(
        read_missing,
        Read,
        [],
        "Reading a missing object is `NotFound` and it does not exist, also because a parent is missing or is an object."
    ),
    rule!(
        read_empty_object,
        Read,
        [],
        "An empty object gives no bytes and exists."
    ),
    rule!(
        read_whole,
        Read,
        [],
        "A read gives the bytes written, and `info` the size of the whole object."
    ),
    rule!(
        read_ranges_of_every_form,
        Read,
        [On("range_read")],
        "Every form of range gives its bytes: ends past the size are clamped, a start at or past it gives none, 0 bytes can be asked for."
    ),
    rule!(
        read_range_inverted,
        Read,
        [On("range_read")],
        "A range whose end lies before its start is `InvalidRange`."
    ),
    rule!(
        read_range_of_missing,
        Read,
        [On("range_read")],
        "A part of a missing object is `NotFound`, also a part of no bytes."
    ),
    rule!(
        read_range_is_told,
        Read,
        [On("range_read")],
        "The reader of a part tells the part it gives, and the size of the whole object."
    ),
    rule!(
        read_range_refused,
        Read,
        [Off("range_read")],
        "Without `range_read` a part of an object is `Unsupported`."
    ),
    rule!(
        read_many_ranges,
        Read,
        [On("range_read")],
        "`read_ranges` gives the ranges in the order given, each clamped; an inverted one is `InvalidRange`, a missing object `NotFound`."
    ),
    rule!(
        read_forms_agree,
        Read,
        [],
        "As `AsyncRead`, `AsyncBufRead`, `Stream` and in one piece a reader gives the same bytes."
    ),
    rule!(
        read_large,
        Read,
        [],
        "A large object comes back whole, and in parts from every region of it."
    ),
    rule!(
        read_if_version,
        Read,
        [On("versions")],
        "`if_version` reads that version and no other: any other is `PreconditionFailed`, a missing object `NotFound`."
    ),
    rule!(
        read_if_changed_from,
        Read,
        [On("versions")],
        "`if_changed_from` is `NotModified` for the version the object has, reads any other, and is `NotFound` for a missing object."
    ),
    rule!(
        read_conditions_refused,
        Read,
        [Off("versions")],
        "Without `versions` a conditional read is `Unsupported`."
    ),
];

async fn read_missing(case: &Case) -> Verdict {
    case.put("object", "x").await?;
    case.put("d/x", "x").await?;
    for key in [
        "missing",
        "missing/parent",
        "object/below",
        "object/below/that",
        "d/y",
        "d/x/y",
        "objec",
    ] {
        fails(
            &format!("read({key:?})"),
            case.get(key).await,
            ErrorKind::NotFound,
        )?;
        let reader = case.reader(key, ..).await;
        fails(&format!("reader({key:?})"), reader, ErrorKind::NotFound)?;
        let exists = case.backend().exists(&ObjectPath::new(key)?).await?;
        equal(&format!("exists({key:?})"), exists, false)?;
    }
    let exists = case.backend().exists(&ObjectPath::new("object")?).await?;
    equal("exists of an object", exists, true)
}

async fn read_empty_object(case: &Case) -> Verdict {
    case.put("empty", "").await?;
    case.holds("empty", b"").await?;
    let exists = case.backend().exists(&ObjectPath::new("empty")?).await?;
    equal("exists of an empty object", exists, true)?;
    let reader = case.reader("empty", ..).await?;
    same_bytes("the reader", &reader.bytes().await?, b"")?;
    if case.features().range_read {
        for range in [
            ByteRange::Bounded(0, 9),
            ByteRange::From(3),
            ByteRange::Suffix(4),
        ] {
            same_bytes(
                &format!("{range:?}"),
                &case.read("empty", range).await?,
                b"",
            )?;
        }
    }
    Ok(())
}

async fn read_whole(case: &Case) -> Verdict {
    for size in [1, 2, 100, 4096, 70_000] {
        let bytes = pattern(size as u64, size);
        case.put("object", bytes.clone()).await?;
        case.holds("object", &bytes).await?;
        let reader = case.reader("object", ReadOptions::default()).await?;
        if let Some(told) = reader.info().size {
            equal("the size in info", told, size as u64)?;
        }
        equal("the path in info", reader.info().path.as_str(), "object")?;
        same_bytes("the reader", &reader.bytes().await?, &bytes)?;
    }
    Ok(())
}

/// Every form and edge of a range of 10 bytes, and what it gives.
const RANGES: [(ByteRange, Range<usize>); 17] = [
    (ByteRange::Full, 0..10),
    (ByteRange::Bounded(0, 10), 0..10),
    (ByteRange::Bounded(0, 1), 0..1),
    (ByteRange::Bounded(3, 7), 3..7),
    (ByteRange::Bounded(9, 10), 9..10),
    (ByteRange::Bounded(4, u64::MAX), 4..10),
    (ByteRange::Bounded(0, 0), 0..0),
    (ByteRange::Bounded(5, 5), 5..5),
    (ByteRange::Bounded(10, 12), 10..10),
    (ByteRange::Bounded(u64::MAX - 1, u64::MAX), 10..10),
    (ByteRange::From(0), 0..10),
    (ByteRange::From(9), 9..10),
    (ByteRange::From(10), 10..10),
    (ByteRange::From(u64::MAX), 10..10),
    (ByteRange::Suffix(3), 7..10),
    (ByteRange::Suffix(0), 10..10),
    (ByteRange::Suffix(u64::MAX), 0..10),
];

async fn read_ranges_of_every_form(case: &Case) -> Verdict {
    let bytes = pattern(1, 10);
    case.put("object", bytes.clone()).await?;
    for (range, expected) in RANGES {
        let expected = &bytes[expected];
        let found = case.read("object", range).await?;
        same_bytes(&format!("read of {range:?} of 10 bytes"), &found, expected)?;
        let reader = case.reader("object", range).await?;
        same_bytes(
            &format!("reader of {range:?} of 10 bytes"),
            &reader.bytes().await?,
            expected,
        )?;
    }
    Ok(())
}

async fn read_range_inverted(case: &Case) -> Verdict {
    case.put("object", pattern(1, 10)).await?;
    for range in [
        ByteRange::Bounded(5, 4),
        ByteRange::Bounded(99, 98),
        ByteRange::Bounded(u64::MAX, 0),
    ] {
        let what = format!("{range:?}");
        fails(
            &what,
            case.read("object", range).await,
            ErrorKind::InvalidRange,
        )?;
        fails(
            &what,
            case.reader("object", range).await,
            ErrorKind::InvalidRange,
        )?;
    }
    Ok(())
}

async fn read_range_of_missing(case: &Case) -> Verdict {
    for range in [
        ByteRange::Bounded(0, 0),
        ByteRange::Bounded(0, 1),
        ByteRange::From(7),
        ByteRange::Suffix(0),
    ] {
        let what = format!("{range:?} of a missing object");
        fails(
            &what,
            case.read("missing", range).await,
            ErrorKind::NotFound,
        )?;
        fails(
            &what,
            case.reader("missing", range).await,
            ErrorKind::NotFound,
        )?;
    }
    Ok(())
}

async fn read_range_is_told(case: &Case) -> Verdict {
    case.put("object", pattern(1, 10)).await?;
    for (range, expected) in RANGES {
        let reader = case.reader("object", range).await?;
        if let Some(size) = reader.info().size {
            equal(
                &format!("the object's size when reading {range:?}"),
                size,
                10,
            )?;
        }
        let expected = expected.start as u64..expected.end as u64;
        if let Some(told) = reader.range() {
            let length = expected.end - expected.start;
            equal(
                &format!("the length told of {range:?}"),
                told.end - told.start,
                length,
            )?;
            if length > 0 {
                equal(&format!("the part told of {range:?}"), told, expected)?;
            }
        }
    }
    Ok(())
}

async fn read_range_refused(case: &Case) -> Verdict {
    case.put("object", pattern(1, 10)).await?;
    case.holds("object", &pattern(1, 10)).await?;
    for range in [
        ByteRange::Bounded(2, 5),
        ByteRange::From(3),
        ByteRange::Suffix(3),
    ] {
        let what = format!("{range:?} without `range_read`");
        fails(
            &what,
            case.read("object", range).await,
            ErrorKind::Unsupported,
        )?;
        fails(
            &what,
            case.reader("object", range).await,
            ErrorKind::Unsupported,
        )?;
    }
    let ranges = case
        .backend()
        .read_ranges(&ObjectPath::new("object")?, &[2..5, 7..8])
        .await;
    fails(
        "read_ranges without `range_read`",
        ranges,
        ErrorKind::Unsupported,
    )?;
    Ok(())
}

async fn read_many_ranges(case: &Case) -> Verdict {
    let bytes = pattern(1, 300_000);
    case.put("object", bytes.clone()).await?;
    let (path, missing) = (ObjectPath::new("object")?, ObjectPath::new("missing")?);
    let ranges = [
        250_000..300_000,
        0..10,
        5..6,
        5..5,
        0..10,
        299_990..400_000,
        300_000..300_001,
        100..200_000,
    ];
    let parts = case.backend().read_ranges(&path, &ranges).await?;
    equal("the number of parts", parts.len(), ranges.len())?;
    for (part, range) in parts.iter().zip(ranges) {
        let end = range.end.min(300_000) as usize;
        let expected = &bytes[range.start as usize..end.max(range.start as usize)];
        same_bytes(&format!("the part {range:?}"), part, expected)?;
    }
    equal(
        "the parts of no range",
        case.backend().read_ranges(&path, &[]).await?.len(),
        0,
    )?;
    #[allow(clippy::reversed_empty_ranges)] // It is the mistake that is tested.
    let inverted = case.backend().read_ranges(&path, &[0..1, 7..3]).await;
    fails(
        "an inverted range among others",
        inverted,
        ErrorKind::InvalidRange,
    )?;
    let of_missing = case
        .backend()
        .read_ranges(&missing, std::slice::from_ref(&(0..1)))
        .await;
    fails(
        "ranges of a missing object",
        of_missing,
        ErrorKind::NotFound,
    )?;
    Ok(())
}

async fn read_forms_agree(case: &Case) -> Verdict {
    let bytes = pattern(1, 700_001);
    case.put("object", bytes.clone()).await?;
    let mut found = Vec::new();
    case.reader("object", ..)
        .await?
        .read_to_end(&mut found)
        .await?;
    same_bytes("`AsyncRead`", &found, &bytes)?;
    let (mut reader, mut found) = (case.reader("object", ..).await?, BytesMut::new());
    loop {
        let filled = reader.fill_buf().await?;
        if filled.is_empty() {
            break;
        }
        let taken = filled.len().div_ceil(2);
        found.extend_from_slice(&filled[..taken]);
        reader.consume(taken);
    }
    same_bytes("`AsyncBufRead`", &found, &bytes)?;
    let (mut reader, mut found) = (case.reader("object", ..).await?, BytesMut::new());
    while let Some(chunk) = next(&mut reader).await {
        found.extend_from_slice(&chunk?);
    }
    same_bytes("`Stream`", &found, &bytes)?;
    same_bytes(
        "in one piece",
        &case.reader("object", ..).await?.bytes().await?,
        &bytes,
    )
}

async fn next(stream: &mut storage_core::Reader) -> Option<storage_core::Result<Bytes>> {
    std::future::poll_fn(|cx| Pin::new(&mut *stream).poll_next(cx)).await
}

async fn read_large(case: &Case) -> Verdict {
    let size = case.effort().large;
    let bytes = pattern(1, size);
    case.put("large", bytes.clone()).await?;
    let (mut reader, mut at) = (case.reader("large", ..).await?, 0);
    while let Some(chunk) = reader.chunk().await {
        let chunk = chunk?;
        let expected = bytes.get(at..at + chunk.len()).unwrap_or(&[]);
        same_bytes(&format!("the chunk at {at}"), &chunk, expected)?;
        at += chunk.len();
    }
    equal("the bytes streamed", at, size)?;
    if case.features().range_read {
        for start in (0..size).step_by(size / 7) {
            let end = (start + 65_537).min(size);
            let part = case.read("large", start as u64..end as u64).await?;
            same_bytes(
                &format!("the part {start}..{end}"),
                &part,
                &bytes[start..end],
            )?;
        }
        let last = case.read("large", ByteRange::Suffix(3)).await?;
        same_bytes("the last 3 bytes", &last, &bytes[size - 3..])?;
    }
    Ok(())
}

async fn version(case: &Case, key: &str) -> Verdict<Version> {
    let version = case.info(key).await?.version;
    version
        .ok_or_else(|| Violation::new(format!("the version of {key:?}: expected one, found none")))
}

async fn read_if_version(case: &Case) -> Verdict {
    case.put("object", "old").await?;
    let old = version(case, "object").await?;
    let if_old = || ReadOptions::default().if_version(old.clone());
    let mut forms = vec![(if_old(), "old")];
    if case.features().range_read {
        forms.push((if_old().range(0..1), "o"));
    }
    for (options, expected) in &forms {
        let found = case.read("object", options.clone()).await?;
        same_bytes("if_version of the present", &found, expected.as_bytes())?;
    }
    case.put("object", "new").await?;
    for (options, _) in forms {
        let past = case.read("object", options.clone()).await;
        let error = fails(
            "if_version of the past",
            past,
            ErrorKind::PreconditionFailed,
        )?;
        let told = error.precondition().and_then(|(expected, _)| expected);
        equal("the version expected", told, Some(&old))?;
        let reader = case.reader("object", options).await;
        fails("its reader", reader, ErrorKind::PreconditionFailed)?;
    }
    let never = ReadOptions::default().if_version(Version::new("no such version"));
    let made_up = case.read("object", never).await;
    fails(
        "if_version of a made-up token",
        made_up,
        ErrorKind::PreconditionFailed,
    )?;
    let missing = case.read("missing", if_old()).await;
    fails(
        "if_version of a missing object",
        missing,
        ErrorKind::NotFound,
    )?;
    Ok(())
}

async fn read_if_changed_from(case: &Case) -> Verdict {
    case.put("object", "old").await?;
    let old = version(case, "object").await?;
    let changed = || ReadOptions::default().if_changed_from(old.clone());
    fails(
        "if_changed_from the present",
        case.read("object", changed()).await,
        ErrorKind::NotModified,
    )?;
    fails(
        "its reader",
        case.reader("object", changed()).await,
        ErrorKind::NotModified,
    )?;
    let never = ReadOptions::default().if_changed_from(Version::new("no such version"));
    same_bytes(
        "if_changed_from a made-up token",
        &case.read("object", never).await?,
        b"old",
    )?;
    case.put("object", "new").await?;
    same_bytes(
        "if_changed_from the past",
        &case.read("object", changed()).await?,
        b"new",
    )?;
    fails(
        "if_changed_from of a missing object",
        case.read("missing", changed()).await,
        ErrorKind::NotFound,
    )?;
    Ok(())
}

async fn read_conditions_refused(case: &Case) -> Verdict {
    case.put("object", "x").await?;
    let version = Version::new("any");
    for options in [
        ReadOptions::default().if_version(version.clone()),
        ReadOptions::default().if_changed_from(version.clone()),
    ] {
        let what = "a conditional read without `versions`";
        fails(
            what,
            case.read("object", options.clone()).await,
            ErrorKind::Unsupported,
        )?;
        fails(
            what,
            case.reader("object", options).await,
            ErrorKind::Unsupported,
        )?;
    }
    Ok(())
}

//! Reading an object, whole or in part.

use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use storage_core::{ByteRange, ErrorKind, ObjectPath, ReadOptions};
use tokio::io::{AsyncBufReadExt, AsyncReadExt};

use crate::case::{Case, pattern};
use crate::rule::{Rule, rule};
use crate::violation::{Verdict, equal, fails, same_bytes};

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
        read_forms_agree,
        Read,
        [],
        "As `AsyncRead`, `AsyncBufRead`, `Stream` and in one piece a reader gives the same bytes."
    ),
    rule!(
        read_as_payload,
        Read,
        [],
        "What a reader gives as a payload are its bytes, again and again, also after the key was replaced."
    ),
    rule!(
        read_large,
        Read,
        [],
        "A large object comes back whole, and in parts from every region of it."
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

async fn read_as_payload(case: &Case) -> Verdict {
    for size in [0, 10, 300_000] {
        let bytes = pattern(1, size);
        case.put("object", bytes.clone()).await?;
        let mut readers = vec![(case.reader("object", ..).await?, 0..size)];
        if case.features().range_read && size > 0 {
            let part = case.reader("object", 3..size as u64).await?;
            readers.push((part, 3..size));
        }
        for (reader, range) in readers {
            // A reader that can be streamed only once says so, by giving itself back.
            let Ok(payload) = reader.into_payload() else {
                continue;
            };
            equal(
                "the length of the payload",
                payload.len(),
                range.len() as u64,
            )?;
            same_bytes(
                "the payload",
                &payload.to_bytes().await?,
                &bytes[range.clone()],
            )?;
            case.put("copy", payload.clone()).await?;
            case.holds("copy", &bytes[range.clone()]).await?;
            if case.features().atomic_write {
                case.put("object", pattern(2, size)).await?;
                same_bytes(
                    "the payload again",
                    &payload.to_bytes().await?,
                    &bytes[range],
                )?;
                case.put("object", bytes.clone()).await?;
            }
        }
    }
    Ok(())
}

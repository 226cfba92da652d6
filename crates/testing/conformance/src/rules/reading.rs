//! Reading an object, whole or in part.

use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use storage_core::{ByteRange, ErrorKind, ObjectPath, ReadOptions, Reader};
use tokio::io::{AsyncBufReadExt, AsyncReadExt};

use crate::case::{Case, pattern};
use crate::rule::{Need::On, Rule, rule};
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
        [On("atomic_write")],
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
    case.restore("empty", b"").await?;
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
        case.restore("object", &bytes).await?;
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
    let open = || case.reader("object", ..);
    let restore = || case.restore("object", &bytes);
    let mut found = Vec::new();
    open().await?.read_to_end(&mut found).await?;
    same_bytes("`AsyncRead`", &found, &bytes)?;
    restore().await?;
    same_bytes("`AsyncBufRead`", &buffered(open().await?).await?, &bytes)?;
    restore().await?;
    let (mut reader, mut found) = (open().await?, BytesMut::new());
    while let Some(chunk) = next(&mut reader).await {
        found.extend_from_slice(&chunk?);
    }
    same_bytes("`Stream`", &found, &bytes)?;
    restore().await?;
    same_bytes("in one piece", &open().await?.bytes().await?, &bytes)
}

/// Everything, taken from the buffer by halves.
async fn buffered(mut reader: Reader) -> Verdict<BytesMut> {
    let mut found = BytesMut::new();
    loop {
        let filled = reader.fill_buf().await?;
        if filled.is_empty() {
            return Ok(found);
        }
        let taken = filled.len().div_ceil(2);
        found.extend_from_slice(&filled[..taken]);
        reader.consume(taken);
    }
}

async fn next(stream: &mut Reader) -> Option<storage_core::Result<Bytes>> {
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
    if !case.features().range_read {
        return Ok(());
    }
    let starts = (0..size).step_by(size / 7).chain([size - 3]);
    for part in starts.map(|start| start..(start + 65_537).min(size)) {
        let found = case
            .read("large", part.start as u64..part.end as u64)
            .await?;
        same_bytes(&format!("the part {part:?}"), &found, &bytes[part])?;
    }
    Ok(())
}

async fn read_as_payload(case: &Case) -> Verdict {
    for size in [0, 10, 300_000] {
        let old = pattern(1, size);
        case.put("object", old.clone()).await?;
        let mut readers = vec![(case.reader("object", ..).await?, old.clone())];
        if case.features().range_read && size > 0 {
            let part = case.reader("object", 3..size as u64).await?;
            readers.push((part, old.slice(3..)));
        }
        case.put("object", pattern(2, size)).await?;
        for (reader, expected) in readers {
            // A reader that can be streamed only once says so, by giving itself back.
            let Ok(payload) = reader.into_payload() else {
                continue;
            };
            equal(
                "the length of the payload",
                payload.len(),
                expected.len() as u64,
            )?;
            for time in ["first", "second"] {
                let what = format!("the payload the {time} time");
                same_bytes(&what, &payload.to_bytes().await?, &expected)?;
            }
            case.put("copy", payload).await?;
            case.holds("copy", &expected).await?;
        }
    }
    Ok(())
}

//! Append: bytes added to the end.

use std::sync::Arc;

use bytes::Bytes;
use storage_core::{
    Backend, ErrorKind, HashType, ObjectPath, Result, WriteMode, WriteOptions, Written,
};

use super::conditions::refused;
use crate::case::{Case, ROUTES, Route, pattern, race};
use crate::rule::{
    Need::{Off, On, Second},
    Rule, rule,
};
use crate::violation::{Verdict, Violation, ensure, equal, fails, same_bytes};

pub(crate) const RULES: &[Rule] = &[
    rule!(
        append_creates,
        Modes,
        [On("append")],
        "`Append` creates a missing object and its parents, also by appending nothing."
    ),
    rule!(
        append_extends,
        Modes,
        [On("append")],
        "`Append` adds its bytes to the end and tells the size of the whole object."
    ),
    rule!(
        append_before_finish,
        Modes,
        [On("append"), On("atomic_write")],
        "Nothing of an append is visible before `finish`; a dropped one adds nothing."
    ),
    rule!(
        append_checks,
        Modes,
        [On("append"), On("atomic_write")],
        "`size`, `expected` and `verify` of an append are about the bytes appended; a mismatch adds nothing."
    ),
    rule!(
        append_keeps_no_stale_hashes,
        Modes,
        [On("append"), On("hashes")],
        "After an append the object has no digest that is wrong; storing digests of an append is `Unsupported`."
    ),
    rule!(
        append_race,
        Modes,
        [On("append")],
        "Concurrent appends keep all bytes, each append's bytes together."
    ),
    rule!(
        append_race_between_handles,
        Modes,
        [On("append"), Second],
        "Appends through two handles on one store keep all bytes, each append's bytes together."
    ),
    rule!(
        append_beside_readers,
        Modes,
        [On("append")],
        "A reader beside appends sees a beginning of what there will be."
    ),
    rule!(
        append_refused,
        Modes,
        [Off("append")],
        "Without `append` the mode is `Unsupported` and changes nothing."
    ),
];

async fn append(case: &Case, route: Route, key: &str, bytes: Bytes) -> Result<Written> {
    case.store(route, key, bytes, WriteMode::Append).await
}

async fn append_creates(case: &Case) -> Verdict {
    for (index, route) in ROUTES.into_iter().enumerate() {
        for size in [0, 10, 300_000] {
            let key = format!("new/{index}/{size}");
            let written = append(case, route, &key, pattern(1, size)).await?;
            equal("the size told", written.size, size as u64)?;
            case.holds(&key, &pattern(1, size)).await?;
        }
    }
    Ok(())
}

async fn append_extends(case: &Case) -> Verdict {
    let mut expected = Vec::from("start");
    case.put("key", "start").await?;
    for (index, size) in [1, 0, 10, 4096, 300_000, 1, 1_100_000, 7]
        .into_iter()
        .enumerate()
    {
        let more = pattern(index as u64, size);
        expected.extend_from_slice(&more);
        let written = append(case, ROUTES[index % 2], "key", more).await?;
        equal("the size told", written.size, expected.len() as u64)?;
        case.holds("key", &expected).await?;
        if let Some(size) = case.info("key").await?.size {
            equal("the size in stat", size, expected.len() as u64)?;
        }
    }
    case.put("key", "replaced").await?;
    append(case, Route::Whole, "key", Bytes::from_static(b"!")).await?;
    case.holds("key", b"replaced!").await
}

async fn append_before_finish(case: &Case) -> Verdict {
    case.put("key", "old").await?;
    for size in [10, 300_000, 2_000_000] {
        for key in ["key", "new"] {
            for aborts in [false, true] {
                let mut writer = case.writer(key, WriteMode::Append).await?;
                writer.write_bytes(pattern(1, size)).await?;
                writer.flush().await?;
                case.holds("key", b"old").await?;
                case.absent("new").await?;
                if aborts {
                    writer.abort().await?;
                } else {
                    drop(writer);
                }
                case.holds("key", b"old").await?;
                case.absent("new").await?;
            }
        }
    }
    Ok(())
}

async fn append_checks(case: &Case) -> Verdict {
    case.put("key", "old").await?;
    let more = pattern(1, 1000);
    let right = storage_hash::hash(HashType::Sha256.into(), &more);
    let wrong = storage_hash::hash(HashType::Sha256.into(), b"other bytes");
    let mode = || WriteOptions::from(WriteMode::Append);
    let bad = case
        .store(Route::Streamed, "key", more.clone(), mode().size(999))
        .await;
    fails("an append of another size", bad, ErrorKind::Corrupt)?;
    for route in ROUTES {
        let bad = case
            .store(route, "key", more.clone(), mode().expected(wrong.clone()))
            .await;
        fails("an append of other bytes", bad, ErrorKind::Corrupt)?;
        case.holds("key", b"old").await?;
    }
    for route in ROUTES {
        case.put("key", "old").await?;
        let options = mode()
            .size(1000)
            .expected(right.clone())
            .verify(HashType::Sha256);
        let written = case.store(route, "key", more.clone(), options).await?;
        equal("the digests reported", written.hashes, right.clone())?;
        equal("the size told", written.size, 1003)?;
        case.holds("key", &[b"old", &more[..]].concat()).await?;
    }
    Ok(())
}

async fn append_keeps_no_stale_hashes(case: &Case) -> Verdict {
    let options = WriteOptions::default().hashes(HashType::Crc32c);
    for route in ROUTES {
        case.write("key", "old", options.clone()).await?;
        let storing = options.clone().mode(WriteMode::Append);
        let refused = case
            .store(route, "key", Bytes::from_static(b"x"), storing)
            .await;
        fails(
            "storing digests of an append",
            refused,
            ErrorKind::Unsupported,
        )?;
        case.holds("key", b"old").await?;
        append(case, route, "key", Bytes::from_static(b"+more")).await?;
        let (kept, bytes) = (case.info("key").await?.hashes, case.get("key").await?);
        let right = storage_hash::hash(kept.types(), &bytes);
        equal("the digests kept after an append", kept, right)?;
    }
    Ok(())
}

/// The block that a racer appends: its own letter, so that torn blocks show.
fn block(index: usize) -> Bytes {
    let size = [10, 5_000, 300_000][index % 3];
    let mut block = vec![b'a' + (index % 26) as u8; size];
    block[0] = b'<';
    block[size - 1] = b'>';
    block.into()
}

async fn append_block(backend: Arc<dyn Backend>, index: usize) -> Result<Written> {
    let path = ObjectPath::new("log/key")?;
    if index.is_multiple_of(2) {
        return backend
            .write(&path, block(index).into(), WriteMode::Append.into())
            .await;
    }
    let mut writer = backend.writer(&path, WriteMode::Append.into()).await?;
    for piece in block(index).chunks(100_000) {
        writer.write_bytes(Bytes::copy_from_slice(piece)).await?;
        tokio::task::yield_now().await;
    }
    writer.finish().await
}

/// Appends blocks from 26 tasks on the handles in turn; all of them must be there, whole.
async fn all_blocks(case: &Case, handles: &[Arc<dyn Backend>]) -> Verdict {
    let results = race(26, |index| {
        append_block(Arc::clone(&handles[index % handles.len()]), index)
    })
    .await?;
    let mut largest = 0;
    for result in results {
        largest = largest.max(result?.size);
    }
    let found = case.get("log/key").await?;
    let mut blocks: Vec<&[u8]> = found.split_inclusive(|byte| *byte == b'>').collect();
    let mut expected: Vec<Bytes> = (0..26).map(block).collect();
    blocks.sort_unstable();
    expected.sort_unstable();
    ensure(blocks == expected, || {
        let sizes: Vec<usize> = blocks.iter().map(|block| block.len()).collect();
        format!("expected 26 whole blocks, found blocks of {sizes:?} bytes, some torn or lost")
    })?;
    equal("the largest size told", largest, found.len() as u64)
}

async fn append_race(case: &Case) -> Verdict {
    all_blocks(case, &[Arc::clone(case.backend())]).await
}

async fn append_race_between_handles(case: &Case) -> Verdict {
    let second = case.second().await?;
    all_blocks(case, &[Arc::clone(case.backend()), Arc::clone(&second)]).await?;
    Ok(second.close().await?)
}

async fn append_beside_readers(case: &Case) -> Verdict {
    let whole = pattern(1, 400_000);
    case.put("key", "").await?;
    let mut tasks = tokio::task::JoinSet::new();
    let (backend, pieces) = (Arc::clone(case.backend()), whole.clone());
    tasks.spawn(async move {
        let path = ObjectPath::new("key")?;
        for piece in pieces.chunks(10_000) {
            let payload = Bytes::copy_from_slice(piece).into();
            backend
                .write(&path, payload, WriteMode::Append.into())
                .await?;
            tokio::task::yield_now().await;
        }
        Ok::<(), storage_core::Error>(())
    });
    while !tasks.is_empty() {
        let found = case.get("key").await?;
        let beginning = &whole[..found.len().min(whole.len())];
        same_bytes("what a reader beside appends sees", &found, beginning)?;
        if let Some(joined) = tasks.try_join_next() {
            joined.map_err(|error| Violation::new(format!("the writer panicked: {error}")))??;
        }
        tokio::task::yield_now().await;
    }
    case.holds("key", &whole).await
}

async fn append_refused(case: &Case) -> Verdict {
    refused(case, &WriteMode::Append).await
}

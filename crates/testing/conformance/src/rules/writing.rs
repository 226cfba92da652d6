//! Writing an object and publishing it.

use bytes::Bytes;
use storage_core::{Durability, ErrorKind, ListOptions, Payload, WriteMode, WriteOptions};
use tokio::io::AsyncWriteExt;

use crate::case::{Case, ROUTES, pattern};
use crate::rule::{
    Need::{Extended, Lasting, Off, On, Reopen},
    Rule, rule,
};
use crate::violation::{Verdict, equal, fails};

pub(crate) const RULES: &[Rule] = &[
    rule!(
        write_nothing_before_finish,
        Write,
        [On("atomic_write")],
        "Nothing of a write is visible before `finish`, however much was written and flushed."
    ),
    rule!(
        write_replaces_whole,
        Write,
        [Lasting],
        "A write replaces the whole object, also by a shorter or an empty one, and leaves others alone."
    ),
    rule!(
        write_finish_is_final,
        Write,
        [],
        "`finish` tells the size; a second one tells the same; a write after it is `WriterClosed` and changes nothing."
    ),
    rule!(
        write_empty,
        Write,
        [Lasting],
        "An empty object can be written, with and without a chunk."
    ),
    rule!(
        write_chunks_of_any_size,
        Write,
        [],
        "Chunks of any size, around every power of two, come back in order and complete."
    ),
    rule!(
        write_as_async_write,
        Write,
        [],
        "As an `AsyncWrite` a writer publishes at `shutdown`."
    ),
    rule!(
        write_large,
        Write,
        [],
        "A large object streamed in chunks is stored whole."
    ),
    rule!(
        write_durability,
        Write,
        [],
        "Every durability is honoured or refused as `Unsupported`."
    ),
    rule!(
        write_flush_succeeds,
        Write,
        [Extended],
        "`flush` of a backend succeeds with and without writes before it, and publishes nothing unfinished."
    ),
    rule!(
        write_survives_reopen,
        Write,
        [Reopen, Lasting],
        "What was written, deleted and replaced is so after the store was opened again."
    ),
    rule!(
        put_atomic_refused,
        Write,
        [Extended, Off("atomic_write")],
        "Without `atomic_write`, an atomic put is `Unsupported` and writes nothing."
    ),
];

async fn write_nothing_before_finish(case: &Case) -> Verdict {
    for size in [0, 1, 300_000, case.effort().large] {
        let bytes = pattern(1, size);
        let mut writer = case.writer("new", WriteMode::Replace).await?;
        for chunk in bytes.chunks(100_000) {
            writer.write_bytes(Bytes::copy_from_slice(chunk)).await?;
        }
        case.absent("new").await?;
        writer.flush().await?;
        case.absent("new").await?;
        writer.finish().await?;
        case.holds("new", &bytes).await?;
        let mut writer = case.writer("new", WriteMode::Replace).await?;
        writer.write_bytes(pattern(2, size + 1)).await?;
        writer.flush().await?;
        case.holds("new", &bytes).await?;
        writer.abort().await?;
        equal("delete", case.delete("new").await?, true)?;
    }
    Ok(())
}

async fn write_replaces_whole(case: &Case) -> Verdict {
    case.put("other", "other").await?;
    case.put("object2", "other").await?;
    for route in ROUTES {
        for size in [300_000, 10, 0, 70_000, 1] {
            let bytes = pattern(size as u64, size);
            let written = case
                .store(route, "object", bytes.clone(), WriteMode::Replace)
                .await?;
            equal("the size told", written.size, size as u64)?;
            case.holds("object", &bytes).await?;
        }
    }
    case.holds("other", b"other").await?;
    case.holds("object2", b"other").await
}

async fn write_finish_is_final(case: &Case) -> Verdict {
    let mut writer = case.writer("object", WriteMode::Replace).await?;
    writer.write_bytes(Bytes::from_static(b"content")).await?;
    let first = writer.finish().await?;
    equal("the size told", first.size, 7)?;
    case.holds("object", b"content").await?;
    case.restore("object", b"content").await?;
    let info = case.info("object").await?;
    equal("what a second finish tells", writer.finish().await?, first)?;
    let late = writer.write_bytes(Bytes::from_static(b"late")).await;
    fails("a write after finish", late, ErrorKind::WriterClosed)?;
    equal("the size in info", info.size.unwrap_or(7), 7)?;
    equal(
        "info after the second finish",
        case.info("object").await?,
        info,
    )?;
    case.holds("object", b"content").await
}

async fn write_empty(case: &Case) -> Verdict {
    for route in ROUTES {
        let written = case
            .store(route, "object", Bytes::new(), WriteMode::Replace)
            .await?;
        equal("the size told", written.size, 0)?;
        case.holds("object", b"").await?;
        case.has_only(&["object"]).await?;
        case.put("object", "not empty").await?;
    }
    let mut writer = case.writer("bare", WriteMode::Replace).await?;
    equal(
        "the size told without a chunk",
        writer.finish().await?.size,
        0,
    )?;
    case.holds("bare", b"").await
}

async fn write_chunks_of_any_size(case: &Case) -> Verdict {
    let powers = (10..=20).map(|power| 1usize << power);
    let around = powers.flat_map(|power| [power - 1, power, power + 1]);
    let sizes: Vec<usize> = [0, 1, 0, 2, 7].into_iter().chain(around).collect();
    let bytes = pattern(1, sizes.iter().sum());
    let (mut writer, mut at) = (case.writer("object", WriteMode::Replace).await?, 0);
    for size in &sizes {
        writer.write_bytes(bytes.slice(at..at + size)).await?;
        at += size;
    }
    equal(
        "the size told",
        writer.finish().await?.size,
        bytes.len() as u64,
    )?;
    case.holds("object", &bytes).await?;
    let rope: Vec<Bytes> = bytes.chunks(99_991).map(Bytes::copy_from_slice).collect();
    case.write("rope", Payload::from(rope), WriteMode::Replace)
        .await?;
    case.holds("rope", &bytes).await?;
    for size in [
        4095, 4096, 4097, 65_535, 65_537, 262_143, 262_145, 1_048_575, 1_048_577,
    ] {
        case.put("object", bytes.slice(..size)).await?;
        case.holds("object", &bytes[..size]).await?;
    }
    Ok(())
}

async fn write_as_async_write(case: &Case) -> Verdict {
    let bytes = pattern(1, 600_001);
    let mut writer = case.writer("object", WriteMode::Replace).await?;
    for chunk in bytes.chunks(7_777) {
        writer.write_all(chunk).await?;
    }
    AsyncWriteExt::flush(&mut writer).await?;
    if case.features().atomic_write {
        case.absent("object").await?;
    }
    writer.shutdown().await?;
    case.holds("object", &bytes).await
}

async fn write_large(case: &Case) -> Verdict {
    let bytes = pattern(1, case.effort().large + 12_345);
    for options in [
        WriteOptions::default(),
        WriteOptions::default().size(bytes.len() as u64),
    ] {
        let mut writer = case.writer("large", options).await?;
        for start in (0..bytes.len()).step_by(777_777) {
            let end = (start + 777_777).min(bytes.len());
            writer.write_bytes(bytes.slice(start..end)).await?;
        }
        equal(
            "the size told",
            writer.finish().await?.size,
            bytes.len() as u64,
        )?;
        case.holds("large", &bytes).await?;
        case.delete("large").await?;
    }
    Ok(())
}

async fn write_durability(case: &Case) -> Verdict {
    for durability in [
        Durability::Configured,
        Durability::Deferred,
        Durability::Immediate,
    ] {
        let key = format!("{durability:?}");
        for route in ROUTES {
            let options = WriteOptions::default().durability(durability);
            match case.store(route, &key, pattern(1, 99), options).await {
                Ok(_) => case.holds(&key, &pattern(1, 99)).await?,
                Err(error) => {
                    fails(&key, Err::<(), _>(error), ErrorKind::Unsupported)?;
                    case.absent(&key).await?;
                }
            }
        }
    }
    Ok(())
}

async fn write_flush_succeeds(case: &Case) -> Verdict {
    case.extended()?.flush().await?;
    case.put("object", "x").await?;
    let mut writer = case.writer("open", WriteMode::Replace).await?;
    writer.write_bytes(pattern(1, 300_000)).await?;
    case.extended()?.flush().await?;
    case.holds("object", b"x").await?;
    if case.features().atomic_write {
        case.absent("open").await?;
    }
    writer.finish().await?;
    case.extended()?.flush().await?;
    case.holds("open", &pattern(1, 300_000)).await
}

async fn write_survives_reopen(case: &Case) -> Verdict {
    use storage_core::BackendExt as _;
    case.put("d/kept", "kept").await?;
    case.put("d/replaced", "old").await?;
    case.put("d/replaced", pattern(1, 400_000)).await?;
    case.put("gone", "x").await?;
    case.delete("gone").await?;
    let again = case.reopened().await?;
    let mut keys = Vec::new();
    let options = ListOptions::default().recursive(true);
    for entry in again
        .entries(storage_core::Prefix::root(), options)
        .collect()
        .await?
    {
        keys.push(entry.path.as_str().to_owned());
    }
    equal(
        "the objects",
        keys,
        vec!["d/kept".to_owned(), "d/replaced".to_owned()],
    )?;
    crate::violation::same_bytes("kept", &again.get("d/kept").await?, b"kept")?;
    let found = again.get("d/replaced").await?;
    crate::violation::same_bytes("replaced", &found, &pattern(1, 400_000))?;
    Ok(again.close().await?)
}

async fn put_atomic_refused(case: &Case) -> Verdict {
    use storage_core::BackendExt as _;
    let result = case.backend().put_atomic("object", "x").await;
    fails("an atomic put", result, ErrorKind::Unsupported)?;
    case.absent("object").await
}

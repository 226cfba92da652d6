//! Writing an object and publishing it.

use bytes::Bytes;
use storage_core::{
    Durability, ErrorKind, ListOptions, ObjectPath, Payload, WriteMode, WriteOptions,
};
use tokio::io::AsyncWriteExt;

use crate::case::{Case, ROUTES, pattern};
use crate::rule::{
    Need::{Extended, Off, On, Reopen, Residue},
    Rule, rule,
};
use crate::violation::{Verdict, ensure, equal, fails, fails_with};

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
        [],
        "A write replaces the whole object, also by a shorter or an empty one, and leaves others alone."
    ),
    rule!(
        write_finish_is_final,
        Write,
        [],
        "`finish` tells the size; a second one tells the same; a write after it is `WriterClosed` and changes nothing."
    ),
    rule!(
        write_dropped,
        Write,
        [On("atomic_write")],
        "Dropping a writer leaves what was there before, and nothing listed beside it."
    ),
    rule!(
        write_aborted,
        Write,
        [On("atomic_write")],
        "Aborting a writer leaves what was there before, and nothing listed beside it."
    ),
    rule!(
        write_leaves_no_residue,
        Write,
        [Residue],
        "A dropped, an aborted and a finished write leave no temporary file and no unfinished upload."
    ),
    rule!(
        write_creates_parents,
        Write,
        [],
        "The parents of a written object are created."
    ),
    rule!(
        write_empty,
        Write,
        [],
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
        write_below_an_object,
        Write,
        [On("directories")],
        "Writing below an object is `NotDirectory` and leaves the object."
    ),
    rule!(
        write_onto_a_directory,
        Write,
        [On("directories")],
        "Writing onto a directory is `IsDirectory` and leaves what is below."
    ),
    rule!(
        write_many_at_once,
        Write,
        [],
        "Writers of different keys in one new directory do not disturb each other."
    ),
    rule!(
        write_last_one_wins,
        Write,
        [On("atomic_write")],
        "Of writers racing for one key, the object of one remains, whole."
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
        [Reopen],
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

/// The state of the store before and after writers that came to nothing.
async fn nothing_came<F>(case: &Case, end: impl Fn(storage_core::Writer) -> F) -> Verdict
where
    F: Future<Output = storage_core::Result<()>>,
{
    case.put("d/old", "old").await?;
    let everything = ListOptions::default().recursive(true).directories(true);
    let before = case.keys("", everything.clone()).await?;
    for size in [0, 10, 300_000, case.effort().large] {
        for key in ["d/old", "d/new", "new"] {
            let mut writer = case.writer(key, WriteMode::Replace).await?;
            writer.write_bytes(pattern(1, size)).await?;
            if size == 10 {
                writer.flush().await?;
            }
            end(writer).await?;
            equal(
                &format!("the listing after {size} bytes for {key:?}"),
                case.keys("", everything.clone()).await?,
                before.clone(),
            )?;
            case.holds("d/old", b"old").await?;
        }
    }
    case.absent("new").await?;
    case.absent("d/new").await
}

async fn write_dropped(case: &Case) -> Verdict {
    nothing_came(case, async |writer| {
        drop(writer);
        Ok(())
    })
    .await
}

async fn write_aborted(case: &Case) -> Verdict {
    nothing_came(case, storage_core::Writer::abort).await
}

async fn write_leaves_no_residue(case: &Case) -> Verdict {
    for size in [10, 300_000, case.effort().large] {
        for ending in ["dropped", "aborted", "finished"] {
            let mut writer = case.writer("d/object", WriteMode::Replace).await?;
            writer.write_bytes(pattern(1, size)).await?;
            writer.flush().await?;
            match ending {
                "dropped" => drop(writer),
                "aborted" => writer.abort().await?,
                _ => drop(writer.finish().await?),
            }
            settles(case, &format!("{size} bytes {ending}")).await?;
        }
    }
    Ok(())
}

/// A dropped writer may clean up in the background: it gets some time for it.
async fn settles(case: &Case, what: &str) -> Verdict {
    let mut left = case.residue().await?;
    for _ in 0..200 {
        if left.is_empty() {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        left = case.residue().await?;
    }
    ensure(left.is_empty(), || {
        format!("after {what}: expected nothing left over, found {left:?}")
    })
}

async fn write_creates_parents(case: &Case) -> Verdict {
    for (index, route) in ROUTES.into_iter().enumerate() {
        let key = format!("{index}/b/c/d/e");
        case.store(route, &key, pattern(1, 9), WriteMode::Replace)
            .await?;
        case.holds(&key, &pattern(1, 9)).await?;
        let level = case
            .keys(&format!("{index}/b"), ListOptions::default())
            .await?;
        equal(
            "the level of a parent",
            level,
            vec![format!("{index}/b/c/")],
        )?;
    }
    Ok(())
}

async fn write_empty(case: &Case) -> Verdict {
    for route in ROUTES {
        let written = case
            .store(route, "object", Bytes::new(), WriteMode::Replace)
            .await?;
        equal("the size told", written.size, 0)?;
        case.holds("object", b"").await?;
        equal(
            "the objects",
            case.objects().await?,
            vec!["object".to_owned()],
        )?;
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

async fn write_below_an_object(case: &Case) -> Verdict {
    case.put("object", "x").await?;
    for key in ["object/below", "object/further/below"] {
        for route in ROUTES {
            let result = case
                .store(route, key, pattern(1, 9), WriteMode::Replace)
                .await;
            fails(&format!("writing {key:?}"), result, ErrorKind::NotDirectory)?;
        }
    }
    equal(
        "the objects",
        case.objects().await?,
        vec!["object".to_owned()],
    )?;
    case.holds("object", b"x").await
}

async fn write_onto_a_directory(case: &Case) -> Verdict {
    case.put("d/e/x", "x").await?;
    let mut modes = vec![WriteMode::Replace];
    modes.extend(case.features().append.then_some(WriteMode::Append));
    for key in ["d", "d/e"] {
        for mode in &modes {
            for route in ROUTES {
                let what = format!("writing {key:?} with {mode:?}");
                let result = case.store(route, key, pattern(1, 9), mode.clone()).await;
                fails(&what, result, ErrorKind::IsDirectory)?;
            }
        }
        if case.features().create_new {
            let result = case.put_new(key).await;
            let kinds = [ErrorKind::IsDirectory, ErrorKind::AlreadyExists];
            fails_with(&format!("creating {key:?}"), result, &kinds)?;
        }
    }
    case.holds("d/e/x", b"x").await
}

async fn write_many_at_once(case: &Case) -> Verdict {
    let count = case.effort().racers;
    let backend = case.backend();
    let results = crate::case::race(count, |index| {
        let backend = std::sync::Arc::clone(backend);
        async move {
            let path = ObjectPath::new(format!("new/directory/{index}"))?;
            let bytes = pattern(index as u64, 1000 + index);
            backend
                .write(&path, bytes.into(), WriteOptions::default())
                .await
        }
    })
    .await?;
    for (index, result) in results.into_iter().enumerate() {
        equal("the size told", result?.size, 1000 + index as u64)?;
        let bytes = pattern(index as u64, 1000 + index);
        case.holds(&format!("new/directory/{index}"), &bytes)
            .await?;
    }
    equal("the number of objects", case.objects().await?.len(), count)
}

async fn write_last_one_wins(case: &Case) -> Verdict {
    let count = case.effort().racers;
    let backend = case.backend();
    let results = crate::case::race(count, |index| {
        let backend = std::sync::Arc::clone(backend);
        async move {
            let mut writer = backend
                .writer(&ObjectPath::new("d/key")?, WriteOptions::default())
                .await?;
            writer
                .write_bytes(pattern(index as u64, 10_000 + index))
                .await?;
            writer.finish().await
        }
    })
    .await?;
    for result in results {
        result?;
    }
    let found = case.get("d/key").await?;
    let whole = (0..count).any(|index| found == pattern(index as u64, 10_000 + index));
    ensure(whole, || {
        format!(
            "expected the whole object of one writer, found {} other bytes",
            found.len()
        )
    })?;
    equal(
        "the objects",
        case.objects().await?,
        vec!["d/key".to_owned()],
    )
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

//! Readers beside writers: old or new, never a mix.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::{Bytes, BytesMut};
use storage_core::{
    Backend, BackendExt, ObjectPath, ReadOptions, Reader, Result, WriteMode, WriteOptions,
};
use tokio::task::JoinSet;

use crate::case::{Case, pattern};
use crate::rule::{Need::On, Rule, rule};
use crate::violation::{Verdict, Violation, ensure, equal, same_bytes};

pub(crate) const RULES: &[Rule] = &[
    rule!(
        reader_outlives_replacement,
        Read,
        [On("atomic_write")],
        "A reader opened before its key was replaced gives the old object to the end, or fails: never a byte of the new one."
    ),
    rule!(
        reader_outlives_deletion,
        Read,
        [On("atomic_write")],
        "A reader opened before its key was deleted gives the object to the end, or fails: never a short body."
    ),
    rule!(
        reader_outlives_append,
        Read,
        [On("append")],
        "A reader opened before an append ends where the object ended then."
    ),
    rule!(
        readers_beside_writers,
        Read,
        [On("atomic_write")],
        "Readers beside writers of a large object see one of the objects written, whole."
    ),
    rule!(
        ranges_of_one_version,
        Read,
        [On("range_read"), On("atomic_write")],
        "The ranges of one `read_ranges` come from one object, whatever is written meanwhile."
    ),
    rule!(
        second_handle_sees_writes,
        Read,
        [crate::rule::Need::Second, On("atomic_write")],
        "What one handle on a store has published, deleted or replaced is what another one sees."
    ),
];

/// Opens a reader of a large object and takes its first chunk.
async fn open(case: &Case, bytes: &Bytes) -> Verdict<(Reader, BytesMut)> {
    case.put("object", bytes.clone()).await?;
    let mut reader = case.reader("object", ReadOptions::default()).await?;
    let mut taken = BytesMut::new();
    if let Some(chunk) = reader.chunk().await {
        taken.extend_from_slice(&chunk?);
    }
    Ok((reader, taken))
}

/// Reads on; a failure is fine, other bytes than `expected` are not.
async fn rest_is(mut reader: Reader, mut taken: BytesMut, expected: &[u8]) -> Verdict {
    while let Some(chunk) = reader.chunk().await {
        match chunk {
            Ok(chunk) => taken.extend_from_slice(&chunk),
            Err(_) => {
                return same_bytes(
                    "before it failed",
                    &taken,
                    &expected[..taken.len().min(expected.len())],
                );
            }
        }
    }
    same_bytes("the object as it was opened", &taken, expected)
}

/// The sizes at which backends change their way: inline, in chunks, in parts.
fn sizes(case: &Case) -> [usize; 3] {
    [10, 300_000, case.effort().large]
}

async fn reader_outlives_replacement(case: &Case) -> Verdict {
    for size in sizes(case) {
        let old = pattern(1, size);
        let (reader, taken) = open(case, &old).await?;
        let late = case.reader("object", ReadOptions::default()).await?;
        case.put("object", pattern(2, size)).await?;
        rest_is(reader, taken, &old).await?;
        rest_is(late, BytesMut::new(), &old).await?;
    }
    Ok(())
}

async fn reader_outlives_deletion(case: &Case) -> Verdict {
    for size in sizes(case) {
        let old = pattern(1, size);
        let (reader, taken) = open(case, &old).await?;
        case.delete("object").await?;
        rest_is(reader, taken, &old).await?;
    }
    Ok(())
}

async fn reader_outlives_append(case: &Case) -> Verdict {
    for size in sizes(case) {
        let old = pattern(1, size);
        let (reader, taken) = open(case, &old).await?;
        let late = case.reader("object", ReadOptions::default()).await?;
        case.write("object", pattern(2, 1000), WriteMode::Append)
            .await?;
        rest_is(reader, taken, &old).await?;
        rest_is(late, BytesMut::new(), &old).await?;
    }
    Ok(())
}

/// Two objects of different sizes, each made of one byte, so that a mix shows.
fn uniform(size: usize) -> [Bytes; 2] {
    [vec![b'A'; size].into(), vec![b'B'; size + size / 3].into()]
}

fn is_uniform(what: &str, found: &[u8], objects: &[Bytes; 2]) -> Verdict {
    ensure(objects.iter().any(|object| object == found), || {
        let count = |byte| found.iter().filter(|found| **found == byte).count();
        format!(
            "{what}: expected {} times A or {} times B, found {} A and {} B",
            objects[0].len(),
            objects[1].len(),
            count(b'A'),
            count(b'B')
        )
    })
}

/// Replaces the object by one and the other until told to stop.
fn keep_writing(
    tasks: &mut JoinSet<Result<()>>,
    backend: &Arc<dyn Backend>,
    objects: &[Bytes; 2],
) -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let (backend, objects, until) = (Arc::clone(backend), objects.clone(), Arc::clone(&stop));
    tasks.spawn(async move {
        while !until.load(Ordering::Relaxed) {
            for object in &objects {
                backend.put("object", object.clone()).await?;
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    });
    stop
}

async fn finish(mut tasks: JoinSet<Result<()>>, stop: &AtomicBool) -> Verdict {
    stop.store(true, Ordering::Relaxed);
    while let Some(joined) = tasks.join_next().await {
        joined.map_err(|error| Violation::new(format!("a writer panicked: {error}")))??;
    }
    Ok(())
}

async fn readers_beside_writers(case: &Case) -> Verdict {
    let objects = uniform(case.effort().large / 8);
    case.put("object", objects[0].clone()).await?;
    let mut tasks = JoinSet::new();
    let stop = keep_writing(&mut tasks, case.backend(), &objects);
    for _ in 0..case.effort().rounds {
        is_uniform(
            "`read` beside a writer",
            &case.get("object").await?,
            &objects,
        )?;
        let mut reader = case.reader("object", ReadOptions::default()).await?;
        let mut found = BytesMut::new();
        let complete = loop {
            match reader.chunk().await {
                Some(Ok(chunk)) => found.extend_from_slice(&chunk),
                // It lost its object and says so; what it gave was of one object.
                Some(Err(_)) => break false,
                None => break true,
            }
            tokio::task::yield_now().await;
        };
        if complete {
            is_uniform("a reader beside a writer", &found, &objects)?;
        } else {
            let mixed = found.contains(&b'A') && found.contains(&b'B');
            equal("whether a failed reader mixed two objects", mixed, false)?;
        }
    }
    finish(tasks, &stop).await
}

async fn ranges_of_one_version(case: &Case) -> Verdict {
    let objects = uniform(100_000);
    case.put("object", objects[0].clone()).await?;
    let mut tasks = JoinSet::new();
    let stop = keep_writing(&mut tasks, case.backend(), &objects);
    let path = ObjectPath::new("object")?;
    for _ in 0..case.effort().rounds * 4 {
        let ranges = [0..1, 99_990..100_000, 50_000..50_001, 0..1];
        // To find that the object has changed is no mix.
        if let Ok(parts) = case.backend().read_ranges(&path, &ranges).await {
            let found: Vec<u8> = parts.concat();
            let mixed = found.contains(&b'A') && found.contains(&b'B');
            ensure(!mixed, || {
                format!("expected ranges of one object, found {parts:?}")
            })?;
        }
        tokio::task::yield_now().await;
    }
    finish(tasks, &stop).await
}

async fn second_handle_sees_writes(case: &Case) -> Verdict {
    let other = case.second().await?;
    case.put("d/object", "one").await?;
    same_bytes("a new object", &other.get("d/object").await?, b"one")?;
    other.put("d/object", "two").await?;
    same_bytes("a replaced object", &case.get("d/object").await?, b"two")?;
    let entries = other.entries(
        storage_core::Prefix::root(),
        storage_core::ListOptions::default().recursive(true),
    );
    equal("the objects listed", entries.collect().await?.len(), 1)?;
    let path = ObjectPath::new("d/object")?;
    let mut writer = other.writer(&path, WriteOptions::default()).await?;
    writer.write_bytes(Bytes::from_static(b"three")).await?;
    case.holds("d/object", b"two").await?;
    writer.finish().await?;
    case.holds("d/object", b"three").await?;
    equal(
        "delete through the second handle",
        other.delete(&path).await?,
        true,
    )?;
    case.absent("d/object").await?;
    other.close().await?;
    case.put("after", "x").await?;
    case.holds("after", b"x").await
}

//! Where an object may be written, and writers beside each other.

use std::sync::Arc;

use storage_core::{ErrorKind, ListOptions, ObjectPath, WriteMode, WriteOptions};

use crate::case::{Case, ROUTES, pattern, race};
use crate::rule::{Need::On, Rule, rule};
use crate::violation::{Verdict, ensure, equal, fails, fails_with};

pub(crate) const RULES: &[Rule] = &[
    rule!(
        write_creates_parents,
        Write,
        [],
        "The parents of a written object are created."
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
];

async fn write_creates_parents(case: &Case) -> Verdict {
    for (index, route) in ROUTES.into_iter().enumerate() {
        let key = format!("{index}/b/c/d/e");
        case.store(route, &key, pattern(1, 9), WriteMode::Replace)
            .await?;
        case.holds(&key, &pattern(1, 9)).await?;
        case.restore(&key, &pattern(1, 9)).await?;
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
    case.has_only(&["object"]).await?;
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
    let results = race(count, |index| {
        let backend = Arc::clone(backend);
        async move {
            let path = ObjectPath::new(format!("new/directory/{index}"))?;
            let bytes = pattern(index as u64, 1000 + index);
            backend
                .write(&path, bytes.into(), WriteOptions::default())
                .await
        }
    })
    .await?;
    equal("the number of objects", case.objects().await?.len(), count)?;
    for (index, result) in results.into_iter().enumerate() {
        equal("the size told", result?.size, 1000 + index as u64)?;
        let bytes = pattern(index as u64, 1000 + index);
        case.holds(&format!("new/directory/{index}"), &bytes)
            .await?;
    }
    Ok(())
}

async fn write_last_one_wins(case: &Case) -> Verdict {
    let count = case.effort().racers;
    let bytes = |index| pattern(index as u64, 10_000 + index);
    let results = race(count, |index| {
        let backend = Arc::clone(case.backend());
        async move {
            let path = ObjectPath::new("d/key")?;
            let mut writer = backend.writer(&path, WriteOptions::default()).await?;
            writer.write_bytes(bytes(index)).await?;
            writer.finish().await
        }
    })
    .await?;
    for result in results {
        result?;
    }
    let found = case.get("d/key").await?;
    ensure((0..count).any(|index| found == bytes(index)), || {
        let len = found.len();
        format!("expected the whole object of one writer, found {len} other bytes")
    })?;
    case.has_only(&["d/key"]).await
}

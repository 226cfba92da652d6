//! Writers that race for one key.

use std::sync::Arc;

use bytes::Bytes;
use storage_core::{
    Backend, BackendExt, ErrorKind, ObjectPath, Result, Version, WriteMode, WriteOptions, Written,
};

use super::conditions::version;
use crate::case::{Case, Route, pattern, race};
use crate::rule::{
    Need::{On, Second},
    Rule, rule,
};
use crate::violation::{Verdict, Violation, ensure, equal, same_bytes};

pub(crate) const RULES: &[Rule] = &[
    rule!(
        race_to_create,
        Modes,
        [On("create_new")],
        "Of racing `CreateNew` writers exactly one wins, the others are `AlreadyExists`, and the winner's bytes are there."
    ),
    rule!(
        race_to_replace,
        Modes,
        [On("if_version")],
        "Of racing `IfVersion` writers exactly one wins, the others are `PreconditionFailed`, and the winner's bytes are there."
    ),
    rule!(
        race_to_increment,
        Modes,
        [On("if_version")],
        "Increments by compare-and-set from several tasks lose nothing."
    ),
    rule!(
        race_to_create_and_delete,
        Modes,
        [On("create_new")],
        "Locks made by `CreateNew` and given back by `delete` are held by one at a time."
    ),
    rule!(
        race_between_handles,
        Modes,
        [On("create_new"), On("if_version"), Second],
        "The races have one winner also between two handles on one store."
    ),
];

/// The ways to write, half of the racers each.
fn route(index: usize) -> Route {
    if index.is_multiple_of(2) {
        Route::Whole
    } else {
        Route::Streamed
    }
}

async fn attempt(
    backend: Arc<dyn Backend>,
    route: Route,
    bytes: Bytes,
    mode: WriteMode,
) -> Result<Written> {
    let path = ObjectPath::new("race/key")?;
    let options = WriteOptions::from(mode);
    if route == Route::Whole {
        return backend.write(&path, bytes.into(), options).await;
    }
    let mut writer = backend.writer(&path, options).await?;
    writer.write_bytes(bytes).await?;
    writer.finish().await
}

/// Lets racers write in `mode`, each its own bytes, on the handles in turn; exactly one may win.
async fn one_winner(
    case: &Case,
    handles: &[Arc<dyn Backend>],
    mode: &WriteMode,
    loss: ErrorKind,
) -> Verdict {
    let results = race(case.effort().racers, |index| {
        let backend = Arc::clone(&handles[index % handles.len()]);
        attempt(
            backend,
            route(index / handles.len()),
            pattern(index as u64, 1000 + index),
            mode.clone(),
        )
    })
    .await?;
    let mut winners = Vec::new();
    for (index, result) in results.into_iter().enumerate() {
        match result {
            Ok(_) => winners.push(index),
            Err(error) => equal(&format!("the kind of {error}"), error.kind(), loss)?,
        }
    }
    let found = case.get("race/key").await?;
    let [winner] = winners[..] else {
        return Err(Violation::new(format!(
            "expected exactly one winner, found {winners:?}"
        )));
    };
    same_bytes(
        "the winner's object",
        &found,
        &pattern(winner as u64, 1000 + winner),
    )
}

/// How often to race; each one is large.
fn races(case: &Case) -> usize {
    case.effort().rounds.div_ceil(4)
}

async fn race_to_create(case: &Case) -> Verdict {
    for _ in 0..races(case) {
        let handles = [Arc::clone(case.backend())];
        one_winner(
            case,
            &handles,
            &WriteMode::CreateNew,
            ErrorKind::AlreadyExists,
        )
        .await?;
        case.delete("race/key").await?;
    }
    Ok(())
}

async fn race_to_replace(case: &Case) -> Verdict {
    for _ in 0..races(case) {
        case.put("race/key", "start").await?;
        let mode = WriteMode::IfVersion(version(case, "race/key").await?);
        let handles = [Arc::clone(case.backend())];
        one_winner(case, &handles, &mode, ErrorKind::PreconditionFailed).await?;
    }
    Ok(())
}

async fn race_between_handles(case: &Case) -> Verdict {
    let handles = [Arc::clone(case.backend()), case.second().await?];
    for _ in 0..races(case) {
        one_winner(
            case,
            &handles,
            &WriteMode::CreateNew,
            ErrorKind::AlreadyExists,
        )
        .await?;
        let mode = WriteMode::IfVersion(version(case, "race/key").await?);
        one_winner(case, &handles, &mode, ErrorKind::PreconditionFailed).await?;
        case.delete("race/key").await?;
    }
    Ok(handles[1].close().await?)
}

/// Adds one to the number in the object, however often others come first.
async fn increment(backend: &dyn Backend) -> Result<()> {
    loop {
        let reader = backend.open("race/key").await?;
        let Some(expected) = reader.info().version.clone() else {
            return Err(storage_core::Error::unsupported(
                "a reader without a version",
            ));
        };
        let bytes = match reader.bytes().await {
            Ok(bytes) => bytes,
            // Replaced while it was read, by a store that says so.
            Err(error) if error.is_precondition_failed() => continue,
            Err(error) => return Err(error),
        };
        let number: u64 = String::from_utf8_lossy(&bytes).parse().unwrap_or(0);
        match put_if(backend, number + 1, expected).await {
            Ok(_) => return Ok(()),
            Err(error) if error.is_precondition_failed() => tokio::task::yield_now().await,
            Err(error) => return Err(error),
        }
    }
}

async fn put_if(backend: &dyn Backend, number: u64, expected: Version) -> Result<Written> {
    let text = number.to_string();
    backend.put_if("race/key", text, Some(expected)).await
}

async fn race_to_increment(case: &Case) -> Verdict {
    let (tasks, each) = (8, case.effort().rounds);
    case.put("race/key", "0").await?;
    let backend = case.backend();
    let results = race(tasks, |_| {
        let backend = Arc::clone(backend);
        async move {
            for _ in 0..each {
                increment(&*backend).await?;
            }
            Ok::<(), storage_core::Error>(())
        }
    })
    .await?;
    for result in results {
        result?;
    }
    let total = (tasks * each).to_string();
    let what = format!("the sum of {tasks} times {each} increments");
    same_bytes(&what, &case.get("race/key").await?, total.as_bytes())
}

async fn race_to_create_and_delete(case: &Case) -> Verdict {
    let held = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let rounds = case.effort().rounds;
    let results = race(8, |index| {
        let (backend, held) = (Arc::clone(case.backend()), Arc::clone(&held));
        async move {
            let mut most = 0;
            for _ in 0..rounds {
                let mode = WriteMode::CreateNew;
                match attempt(
                    Arc::clone(&backend),
                    route(index),
                    Bytes::from_static(b"held"),
                    mode,
                )
                .await
                {
                    Err(error) if error.is_already_exists() => continue,
                    Err(error) => return Err(error),
                    Ok(_) => {}
                }
                most = most.max(1 + held.fetch_add(1, std::sync::atomic::Ordering::SeqCst));
                tokio::task::yield_now().await;
                held.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                backend.remove("race/key").await?;
            }
            Ok(most)
        }
    })
    .await?;
    let mut most = 0;
    for result in results {
        most = most.max(result?);
    }
    ensure(most == 1, || {
        format!("expected one holder at a time, found up to {most}")
    })
}

//! What is left after `close`.

use storage_core::{
    BackendExt, Error, ErrorKind, ListOptions, ObjectPath, Prefix, PresignOptions, PresignedMethod,
    ReadOptions, Result, RmdirOptions, WriteMode, WriteOptions,
};

use crate::case::Case;
use crate::rule::{
    Need::{Extended, Reopen, Second},
    Rule, rule,
};
use crate::violation::{Verdict, Violation, ensure, equal, fails, same_bytes};

pub(crate) const RULES: &[Rule] = &[
    rule!(
        close_is_idempotent,
        Close,
        [],
        "`close` succeeds again and again, also from several tasks."
    ),
    rule!(
        closed_backend_refuses,
        Close,
        [],
        "After `close` every call of a backend is `BackendClosed`."
    ),
    rule!(
        closed_backend_refuses_extended,
        Close,
        [Extended],
        "After `close` every call of the extended part is `BackendClosed`, or `Unsupported` where it always is."
    ),
    rule!(
        close_leaves_no_half,
        Close,
        [Reopen],
        "A writer open while the backend is closed publishes its whole object or nothing."
    ),
    rule!(
        close_of_one_handle,
        Close,
        [Second],
        "Closing one handle on a store leaves the others open."
    ),
];

async fn close_is_idempotent(case: &Case) -> Verdict {
    let results = crate::case::race(4, |_| {
        let backend = std::sync::Arc::clone(case.backend());
        async move { backend.close().await }
    })
    .await?;
    for result in results {
        result?;
    }
    Ok(case.backend().close().await?)
}

fn closed<T>(call: &str, result: Result<T>) -> Verdict {
    fails(
        &format!("{call} after close"),
        result,
        ErrorKind::BackendClosed,
    )?;
    Ok(())
}

async fn closed_backend_refuses(case: &Case) -> Verdict {
    case.put("key", "x").await?;
    let (backend, path) = (case.backend(), ObjectPath::new("key")?);
    backend.close().await?;
    for path in [path, ObjectPath::new("missing/key")?] {
        closed(
            "reader",
            backend.reader(&path, ReadOptions::default()).await,
        )?;
        closed("read", backend.read(&path, ReadOptions::default()).await)?;
        closed(
            "writer",
            backend.writer(&path, WriteOptions::default()).await,
        )?;
        closed(
            "write",
            backend
                .write(&path, "y".into(), WriteOptions::default())
                .await,
        )?;
        closed("delete", backend.delete(&path).await)?;
        closed("exists", backend.exists(&path).await)?;
        let ranges = backend
            .read_ranges(&path, std::slice::from_ref(&(0..1)))
            .await;
        closed_or_lacking("read_ranges", case.features().range_read, ranges)?;
    }
    for prefix in [Prefix::root(), Prefix::new("missing")?] {
        closed("list", backend.list(&prefix, ListOptions::default()).await)?;
    }
    Ok(())
}

/// Whether a closed backend said so, or a call that it never has is refused as always.
fn closed_or_lacking<T>(call: &str, has: bool, result: Result<T>) -> Verdict {
    match result {
        Err(error) if error.is_unsupported() && !has => Ok(()),
        result => closed(call, result),
    }
}

async fn closed_backend_refuses_extended(case: &Case) -> Verdict {
    case.put("d/key", "x").await?;
    let (key, new, dir) = (
        ObjectPath::new("d/key")?,
        ObjectPath::new("new")?,
        ObjectPath::new("d")?,
    );
    let (features, extended) = (case.features(), case.extended()?);
    case.backend().close().await?;
    let options = WriteOptions::default;
    closed("stat", extended.stat(&key).await)?;
    closed("stat", extended.stat(&new).await)?;
    closed_or_lacking("mkdir", features.directories, extended.mkdir(&new).await)?;
    let rmdir = extended.rmdir(&dir, RmdirOptions::default()).await;
    closed_or_lacking("rmdir", features.directories, rmdir)?;
    let purge = extended
        .rmdir(&dir, RmdirOptions::default().recursive(true))
        .await;
    closed_or_lacking("rmdir", features.purge, purge)?;
    closed_or_lacking(
        "copy",
        features.copy,
        extended.copy(&key, &new, options()).await,
    )?;
    closed_or_lacking(
        "rename",
        features.rename,
        extended.rename(&key, &new, options()).await,
    )?;
    let time = std::time::UNIX_EPOCH;
    let set = extended.set_modified(&key, time).await;
    closed_or_lacking("set_modified", features.set_modified, set)?;
    let expiry = std::time::Duration::from_secs(60);
    let presign = extended
        .presign(&key, PresignOptions::new(PresignedMethod::Get, expiry))
        .await;
    closed_or_lacking("presign", features.presign, presign)
}

async fn close_leaves_no_half(case: &Case) -> Verdict {
    let bytes = crate::case::pattern(1, 600_000);
    let mut writer = case.writer("d/key", WriteMode::Replace).await?;
    writer.write_bytes(bytes.slice(..300_000)).await?;
    let again = case.reopened().await?;
    let ended = async {
        writer.write_bytes(bytes.slice(300_000..)).await?;
        writer.finish().await
    };
    let published = ended.await.is_ok();
    match again.get("d/key").await {
        Ok(found) => {
            ensure(published, || {
                "expected nothing of a failed write, found an object".to_owned()
            })?;
            same_bytes("the object", &found, &bytes)?;
        }
        Err(error) => {
            fails("reading it", Err::<(), Error>(error), ErrorKind::NotFound)?;
            equal("whether the write said it was published", published, false)?;
        }
    }
    Ok(again.close().await?)
}

async fn close_of_one_handle(case: &Case) -> Verdict {
    let second = case.second().await?;
    case.put("key", "x").await?;
    case.backend().close().await?;
    same_bytes("through the open handle", &second.get("key").await?, b"x")?;
    second.put("key", "y").await?;
    same_bytes("through the open handle", &second.get("key").await?, b"y")?;
    let closed = case.get("key").await;
    if closed.is_ok() {
        return Err(Violation::new(
            "expected the closed handle to refuse, found success",
        ));
    }
    Ok(second.close().await?)
}

//! Opening, closing, and what goes wrong at it.

use std::time::Duration;

use storage_core::{Backend, BackendExt, ErrorKind, ExtendedBackend, WriteOptions};
use storage_sqlite::{SqliteBackend, Synchronous};

use crate::{beside, fresh, open, path, plain};

#[tokio::test]
async fn what_cannot_be_opened_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(
        at("text"),
        "no database, but long enough to look like one".repeat(99),
    )
    .unwrap();
    let connection = plain(&at("utf16"));
    let sql = "PRAGMA encoding = 'UTF-16'; CREATE TABLE t (a)";
    connection.execute_batch(sql).unwrap();
    let connection = plain(&at("other"));
    connection
        .execute_batch("CREATE TABLE Objects (a)")
        .unwrap();

    for (name, kind, words) in [
        ("text", ErrorKind::Corrupt, "not a database"),
        ("utf16", ErrorKind::Unsupported, "UTF-16"),
        ("other", ErrorKind::Config, "did not make"),
        ("missing/data.db", ErrorKind::NotFound, "folder"),
        ("", ErrorKind::IsDirectory, "directory"),
    ] {
        let error = SqliteBackend::open(at(name)).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        let text = error.to_string();
        assert!(text.contains(words) && text.contains(name), "{text}");
        assert!(text.starts_with("sqlite: open"), "{text}");
    }
    let absent = SqliteBackend::builder(at("absent")).create(false);
    assert!(absent.open().await.unwrap_err().is_not_found());
    assert!(!at("absent").exists());
    assert_eq!(std::fs::read(at("text")).unwrap().len(), 45 * 99);
}

#[tokio::test]
async fn damage_is_told_and_never_given_as_content() {
    let (_folder, file, backend) = fresh().await;
    backend.put("whole", vec![1; 200_000]).await.unwrap();
    for (damage, key) in [
        (
            "UPDATE objects_chunks SET data = x'01' WHERE id & 3 = 1",
            "whole",
        ),
        ("DELETE FROM objects_chunks WHERE id & 3 = 2", "whole"),
        ("UPDATE objects SET size = 9000000", "whole"),
        ("UPDATE objects SET size = -1", "whole"),
    ] {
        backend.put(key, vec![1; 200_000]).await.unwrap();
        plain(&file).execute_batch(damage).unwrap();
        let error = backend.get(key).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{damage}: {error}");
        plain(&file)
            .execute_batch("UPDATE objects SET size = 0")
            .unwrap();
    }
}

#[tokio::test]
async fn a_full_file_refuses_a_write_and_keeps_what_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let builder = SqliteBackend::builder(folder.path().join("data.db"));
    let backend = builder.max_bytes(4 << 20).open().await.unwrap();
    backend.put("small", "kept").await.unwrap();
    for size in [900_000, 30 << 20] {
        let mut outcome = Ok(());
        for number in 0..9 {
            let put = backend.put(format!("{number}"), vec![0; size]).await;
            outcome = outcome.and(put.map(drop));
        }
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::QuotaExceeded, "{error}");
        assert!(!error.is_transient() && !error.outcome_unknown());
    }
    assert_eq!(backend.get("small").await.unwrap(), "kept");
    for number in 0..9 {
        backend.delete(&path(&number.to_string())).await.unwrap();
    }
    backend.put("again", vec![0; 900_000]).await.unwrap();
}

#[tokio::test]
async fn a_file_that_others_keep_locked_is_a_timeout_for_writers_alone() {
    let (_folder, file, backend) = fresh().await;
    backend.put("a", "old").await.unwrap();
    let builder = SqliteBackend::builder(&file).busy_timeout(Duration::from_millis(50));
    let waiting = builder.open().await.unwrap();
    let other = plain(&file);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = waiting.put("a", "new").await.unwrap_err();
    assert!(error.is_timeout() && error.is_transient(), "{error}");
    assert!(!error.outcome_unknown());
    assert_eq!(waiting.get("a").await.unwrap(), "old");
    other.execute_batch("ROLLBACK").unwrap();
    waiting.put("a", "new").await.unwrap();
    assert_eq!(backend.get("a").await.unwrap(), "new");
}

/// While another has the file no flush can do its work, so none may say that it has.
#[tokio::test]
async fn a_flush_that_did_not_happen_is_not_taken_for_one() {
    let (_folder, file, backend) = fresh().await;
    backend.close().await.unwrap();
    let builder = SqliteBackend::builder(&file).busy_timeout(Duration::from_millis(50));
    let backend = builder
        .synchronous(Synchronous::Normal)
        .open()
        .await
        .unwrap();
    backend.put("a", "unflushed").await.unwrap();
    let other = plain(&file);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (one, two) = tokio::join!(backend.flush(), backend.flush());
    assert!(one.unwrap_err().is_timeout() && two.unwrap_err().is_timeout());
    tokio::select! {
        biased;
        flushed = backend.flush() => panic!("{flushed:?}"),
        () = std::future::ready(()) => {}
    }
    assert!(backend.flush().await.unwrap_err().is_timeout());
    other.execute_batch("ROLLBACK").unwrap();
    backend.flush().await.unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    backend.flush().await.unwrap();
}

#[tokio::test]
async fn a_wait_that_sqlite_cannot_count_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let builder = SqliteBackend::builder(folder.path().join("data.db"));
    for timeout in [Duration::from_secs(30 * 86_400), Duration::MAX] {
        let error = builder
            .clone()
            .busy_timeout(timeout)
            .open()
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("busy_timeout"), "{error}");
    }
    builder
        .busy_timeout(Duration::from_secs(86_400))
        .open()
        .await
        .unwrap();
}

#[tokio::test]
async fn tables_are_stores_of_their_own_beside_those_of_others() {
    let (_folder, file, backend) = fresh().await;
    plain(&file)
        .execute_batch("CREATE TABLE mine (a); INSERT INTO mine VALUES (1)")
        .unwrap();
    let second = SqliteBackend::builder(&file).table("second");
    let second = second.open().await.unwrap();
    backend.put("a", "first").await.unwrap();
    second.put("a", "second").await.unwrap();
    assert_eq!(backend.get("a").await.unwrap(), "first");
    assert_ne!(backend.identity(), second.identity());
    assert!(
        SqliteBackend::builder(&file)
            .table("mine")
            .open()
            .await
            .is_err()
    );
    assert!(
        SqliteBackend::builder(&file)
            .table("x; DROP TABLE mine")
            .open()
            .await
            .is_err()
    );
    assert_eq!(crate::count(&file, "mine"), 1);
}

#[tokio::test]
async fn closing_leaves_one_file() {
    let (_folder, file, backend) = fresh().await;
    backend.put("large", vec![0; 5 << 20]).await.unwrap();
    let mut writer = backend
        .writer(&path("x"), WriteOptions::default())
        .await
        .unwrap();
    writer.write_bytes(vec![0; 5 << 20].into()).await.unwrap();
    backend.flush().await.unwrap();
    backend.close().await.unwrap();
    assert!(writer.finish().await.unwrap_err().is_backend_closed());
    assert_eq!(beside(&file), ["data.db"]);
    let backend = open(&file).await;
    assert_eq!(crate::count(&file, "objects_pending"), 0);
    assert!(!backend.exists(&path("x")).await.unwrap());
}

/// Nobody but the system's superuser can become somebody else; others are somebody else already.
#[cfg(unix)]
#[tokio::test]
async fn a_file_that_one_may_not_write_is_permission_denied() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::os::unix::process::CommandExt;

    let (folder, file, backend) = fresh().await;
    backend.put("a", "old").await.unwrap();
    let allow = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let superuser = std::fs::metadata(&file).unwrap().uid() == 0;
    // With the log beside it, which an open file has, and without.
    for close in [false, true] {
        if close {
            backend.close().await.unwrap();
        }
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            allow(&entry.unwrap().path(), 0o444);
        }
        allow(folder.path(), 0o555);
        let mut command = crate::children::command("denied", &file);
        if superuser {
            command.uid(65534).gid(65534);
        }
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains("outcome: PermissionDenied"), "{text}");
    }
    allow(folder.path(), 0o755);
    let backend = open(&file).await;
    assert_eq!(backend.get("a").await.unwrap(), "old");
}

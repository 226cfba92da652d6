//! Several processes on one file, and processes that are killed.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Child;
use std::time::Duration;

use storage_core::{Backend, BackendExt, WriteOptions};

use crate::children::{SIZE, run_many, start};
use crate::{beside, count, fresh, open, path, plain};

#[tokio::test]
async fn processes_open_a_new_file_together_and_one_creates_each_object() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data.db");
    run_many(4, "create", &file);
    assert_eq!(open(&file).await.get("winners").await.unwrap().len(), 50);
}

#[tokio::test]
async fn processes_lose_no_increment() {
    let (_folder, file, backend) = fresh().await;
    backend.put("number", "0").await.unwrap();
    run_many(3, "increment", &file);
    assert_eq!(backend.get("number").await.unwrap(), "300");
}

#[tokio::test]
async fn appends_of_processes_keep_every_line_whole() {
    let (_folder, file, backend) = fresh().await;
    run_many(3, "append", &file);
    let log = backend.get("log").await.unwrap();
    let log = std::str::from_utf8(&log).unwrap();
    assert_eq!(log.lines().count(), 300);
    for line in log.lines() {
        let words: Vec<_> = line.split(' ').collect();
        assert_eq!(words[..2], words[3..], "a torn line");
        let filler = 100 + (words[1].parse::<usize>().unwrap() * 7919) % 50_000;
        assert_eq!(words[2].len(), filler);
    }
}

/// Waits until a child says that it is ready.
fn ready(child: &mut Child) {
    let lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    let mut lines = lines.map(Result::unwrap);
    assert!(lines.any(|line| line.contains("ready")));
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

fn intact(file: &Path) {
    let check: String = plain(file)
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(check, "ok");
}

#[tokio::test]
async fn a_killed_writer_leaves_an_old_or_a_new_object_and_nothing_else() {
    for round in 0..6 {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("data.db");
        let mut child = start("object", &file);
        ready(&mut child);
        // Somewhere in the writes that follow.
        std::thread::sleep(Duration::from_millis(3 + 11 * round));
        kill(child);
        let backend = open(&file).await;
        let bytes = backend.get("object").await.unwrap();
        assert_eq!(bytes.len(), SIZE);
        assert!(bytes.iter().all(|byte| *byte == bytes[0]), "a mix");
        assert_eq!(count(&file, "objects_pending"), 0);
        assert_eq!(
            count(&file, "objects_chunks"),
            SIZE.div_ceil(64 << 10) as i64
        );
        intact(&file);
    }
}

#[tokio::test]
async fn what_a_killed_process_staged_is_deleted_and_what_a_living_one_did_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data.db");
    let mut child = start("stage", &file);
    ready(&mut child);
    assert_eq!(count(&file, "objects_pending"), 1);

    // Another instance neither shows nor deletes it.
    let backend = open(&file).await;
    assert!(!backend.exists(&path("never")).await.unwrap());
    assert_eq!(count(&file, "objects_pending"), 1);
    kill(child);

    // And one with work of its own under way keeps that.
    let options = WriteOptions::default();
    let mut writer = backend.writer(&path("own"), options).await.unwrap();
    writer.write_bytes(vec![1; 2 << 20].into()).await.unwrap();
    let third = open(&file).await;
    assert_eq!(count(&file, "objects_pending"), 1);
    writer.finish().await.unwrap();
    assert_eq!(third.get("own").await.unwrap().len(), 2 << 20);
    assert_eq!(count(&file, "objects_chunks"), 32);
    third.close().await.unwrap();
    backend.close().await.unwrap();
    assert_eq!(beside(&file), ["data.db"]);
}

use std::io::{BufRead, BufReader};
use std::time::Duration;

use storage_core::{Backend, BackendExt, WriteOptions};

use crate::{children, fresh, keys, open, path, temporary_files};

/// Kills a writing process at many moments. What was there is old or new, and whole; nothing is
/// listed beside it; opening (for the root) and listing (elsewhere) remove what it left.
#[tokio::test]
async fn a_killed_writer_leaves_old_or_new() {
    let mut left = 0;
    let mut random = 0x2545_f491_4f6c_dd1du64;
    for round in 0..200 {
        let key = if round % 2 == 0 { "key" } else { "a/b/key" };
        let dir = tempfile::tempdir().unwrap();
        let mut child = children::start(key, dir.path());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("ready")));
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        std::thread::sleep(Duration::from_micros(random % 6000));
        child.kill().unwrap();
        child.wait().unwrap();

        let parent = dir.path().join(key).parent().unwrap().to_owned();
        left += temporary_files(&parent).len();
        let backend = open(dir.path()).await;
        if round % 2 == 0 {
            assert_eq!(temporary_files(&parent), [""; 0]);
            assert_eq!(keys(&backend).await, ["key"]);
        } else {
            assert_eq!(keys(&backend).await, ["a/", "a/b/", "a/b/key"]);
            assert_eq!(temporary_files(&parent), [""; 0]);
        }
        let bytes = backend.get(key).await.unwrap();
        assert_eq!(bytes.len(), children::SIZE);
        assert!(bytes.iter().all(|byte| *byte == bytes[0]), "a mix");
    }
    assert!(left > 0, "no process was killed in the middle of a write");
}

#[tokio::test]
async fn the_temporary_file_of_a_living_writer_stays() {
    let (dir, backend) = fresh().await;
    let mut writer = backend
        .writer(&path("key"), WriteOptions::default())
        .await
        .unwrap();
    writer.write_bytes(vec![1; 3 << 20].into()).await.unwrap();
    writer.flush().await.unwrap();
    let during = temporary_files(dir.path());
    assert_eq!(during.len(), 1);
    let other = open(dir.path()).await;
    assert_eq!(keys(&other).await, [""; 0]);
    assert_eq!(temporary_files(dir.path()), during);
    writer.finish().await.unwrap();
    assert_eq!(keys(&other).await, ["key"]);
    assert_eq!(temporary_files(dir.path()), [""; 0]);
}

#[tokio::test]
async fn a_crashed_append_is_not_seen_and_removed_by_the_next() {
    let (dir, backend) = fresh().await;
    backend.put("log", "one\n").await.unwrap();
    // What a process leaves that dies while appending: the mark, and some of the bytes.
    let file = std::fs::OpenOptions::new()
        .append(true)
        .open(dir.path().join("log"))
        .unwrap();
    if rustix::fs::fsetxattr(
        &file,
        "user.omnistorage.appending",
        b"4",
        rustix::fs::XattrFlags::empty(),
    )
    .is_err()
    {
        eprintln!("skipped: the file system has no extended attributes");
        return;
    }
    std::io::Write::write_all(&mut &file, b"tw").unwrap();
    assert_eq!(backend.get("log").await.unwrap(), "one\n");
    assert_eq!(
        backend.try_stat("log").await.unwrap().unwrap().size,
        Some(4)
    );
    let written = backend.append("log", "three\n").await.unwrap();
    assert_eq!(written.size, 10);
    assert_eq!(backend.get("log").await.unwrap(), "one\nthree\n");
}

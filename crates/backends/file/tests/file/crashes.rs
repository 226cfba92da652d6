use std::io::{BufRead, BufReader};
use std::time::Duration;

use storage_core::{Backend, BackendExt, WriteOptions};

use crate::{children, fresh, has_attributes, keys, open, own_files, path, temporary_files};

/// Kills a writing process at many moments. What was there is old or new, and whole; nothing is
/// listed beside it; opening removes what it left, wherever that is.
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
        assert_eq!(temporary_files(&parent), [""; 0]);
        assert!(own_files(dir.path()).is_empty());
        match round % 2 {
            0 => assert_eq!(keys(&backend).await, ["key"]),
            _ => assert_eq!(keys(&backend).await, ["a/", "a/b/", "a/b/key"]),
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
    let own = own_files(dir.path());
    let other = open(dir.path()).await;
    assert_eq!(keys(&other).await, [""; 0]);
    assert_eq!(own_files(dir.path()), own);
    writer.finish().await.unwrap();
    assert_eq!(keys(&other).await, ["key"]);
    assert_eq!(temporary_files(dir.path()), [""; 0]);
}

#[tokio::test]
async fn nothing_of_the_backend_stays_after_it() {
    let (dir, backend) = fresh().await;
    backend.put("a/b/key", "1").await.unwrap();
    backend.put("key", "1").await.unwrap();
    let mut writer = backend
        .writer(&path("c/key"), WriteOptions::default())
        .await
        .unwrap();
    writer.write_bytes(vec![1; 3 << 20].into()).await.unwrap();
    writer.flush().await.unwrap();
    backend.close().await.unwrap();
    assert!(!own_files(dir.path()).is_empty(), "a writer goes on");
    drop(writer);
    drop(backend);
    // What the dropped writer was doing ends on a thread of its own.
    for _ in 0..1000 {
        if own_files(dir.path()).is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it left {:?}", own_files(dir.path()));
}

/// A root inside of another one: neither shows what the other made for itself.
#[tokio::test]
async fn what_a_dead_process_noted_is_never_listed() {
    let (dir, backend) = fresh().await;
    let left = dir.path().join("a/.omnistorage-journal");
    std::fs::create_dir_all(&left).unwrap();
    let name = format!(".omnistorage-{}.tmp", "0".repeat(32));
    std::fs::write(left.join(&name), "b\0../..\0").unwrap();
    std::fs::create_dir(dir.path().join("a/b")).unwrap();
    std::fs::write(dir.path().join("a/b").join(&name), "half").unwrap();
    assert!(backend.put("a/.omnistorage-journal/x", "1").await.is_err());
    assert_eq!(keys(&backend).await, ["a/", "a/b/"]);
    assert!(own_files(dir.path()).is_empty());
}

#[tokio::test]
async fn a_crashed_append_is_not_seen_and_removed_by_the_next() {
    let (dir, backend) = fresh().await;
    if !has_attributes(&backend) {
        return;
    }
    backend.put("log", "one\n").await.unwrap();
    // What a process leaves that dies while appending: the mark, and some of the bytes.
    let file = std::fs::OpenOptions::new()
        .append(true)
        .open(dir.path().join("log"))
        .unwrap();
    let (name, flags) = (
        "user.omnistorage.appending",
        rustix::fs::XattrFlags::empty(),
    );
    rustix::fs::fsetxattr(&file, name, b"4", flags).unwrap();
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

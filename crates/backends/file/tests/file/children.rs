//! Processes of their own: this test binary, started again to do one job.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use storage_core::{Backend, BackendExt, ErrorKind, Payload, WriteOptions};
use storage_file::FileBackend;

use crate::{open, path};

const JOB: &str = "STORAGE_FILE_TEST_JOB";
const ROOT: &str = "STORAGE_FILE_TEST_ROOT";

/// A command that does `job` on `root`.
pub(crate) fn command(job: &str, root: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "children::child", "--ignored", "--nocapture"])
        .env(JOB, job)
        .env(ROOT, root)
        .stdout(Stdio::piped());
    command
}

pub(crate) fn start(job: &str, root: &Path) -> Child {
    command(job, root).spawn().unwrap()
}

/// Starts `count` processes and waits until all have succeeded.
pub(crate) fn run_many(count: usize, job: &str, root: &Path) {
    let children: Vec<_> = (0..count).map(|_| start(job, root)).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{text}");
    }
}

#[tokio::test]
#[ignore = "run by other tests, in a process of its own"]
async fn child() {
    let root = PathBuf::from(std::env::var_os(ROOT).unwrap());
    let job = std::env::var(JOB).unwrap();
    match job.as_str() {
        "permissions" => crate::limits::as_somebody(&root).await,
        "increment" => increment(&open(&root).await).await,
        "append" => append(&open(&root).await).await,
        _ => rewrite(&open(&root).await, &job).await,
    }
}

/// Adds 1 to a number 500 times, each time only if nobody else did meanwhile.
async fn increment(backend: &FileBackend) {
    for _ in 0..500 {
        loop {
            let reader = backend.open("number").await.unwrap();
            let version = reader.info().version.clone();
            let bytes = reader.bytes().await.unwrap();
            let number: u64 = std::str::from_utf8(&bytes).unwrap().parse().unwrap();
            match backend
                .put_if("number", (number + 1).to_string(), version)
                .await
            {
                Ok(_) => break,
                Err(error) => assert_eq!(error.kind(), ErrorKind::PreconditionFailed, "{error}"),
            }
        }
    }
}

/// Appends 200 lines of 100 to 50,000 bytes that name the process.
async fn append(backend: &FileBackend) {
    let id = std::process::id();
    for number in 0..200usize {
        let filler = "x".repeat(100 + (number * 7919) % 50_000);
        let line = format!("{id} {number} {filler} {id} {number}\n");
        backend.append("log", line).await.unwrap();
    }
}

pub(crate) const SIZE: usize = 3 << 20;

/// Writes one key over and over, whole and in chunks, every byte of one write the same.
async fn rewrite(backend: &FileBackend, key: &str) {
    backend.put(key, vec![0; SIZE]).await.unwrap();
    println!("ready");
    for round in 1u8.. {
        let bytes = vec![round % 251; SIZE];
        if round % 2 == 0 {
            backend.put(key, bytes).await.unwrap();
            continue;
        }
        let options = WriteOptions::default();
        let mut writer = backend.writer(&path(key), options).await.unwrap();
        for chunk in bytes.chunks(1 << 18) {
            writer.write_bytes(chunk.to_vec().into()).await.unwrap();
        }
        writer.finish().await.unwrap();
    }
    let _ = Payload::default();
}

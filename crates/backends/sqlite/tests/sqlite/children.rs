//! Processes of their own: this test binary, started again to do one job.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use storage_core::{Backend, BackendExt, ErrorKind, WriteOptions};
use storage_sqlite::SqliteBackend;

use crate::{open, path};

const JOB: &str = "STORAGE_SQLITE_TEST_JOB";
const FILE: &str = "STORAGE_SQLITE_TEST_FILE";

/// A command that does `job` on `file`.
pub(crate) fn command(job: &str, file: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "children::child", "--ignored", "--nocapture"])
        .env(JOB, job)
        .env(FILE, file)
        .stdout(Stdio::piped());
    command
}

pub(crate) fn start(job: &str, file: &Path) -> Child {
    command(job, file).spawn().unwrap()
}

/// Starts `count` processes and waits until all have succeeded.
pub(crate) fn run_many(count: usize, job: &str, file: &Path) {
    let children: Vec<_> = (0..count).map(|_| start(job, file)).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{text}");
    }
}

#[tokio::test]
#[ignore = "run by other tests, in a process of its own"]
async fn child() {
    let file = PathBuf::from(std::env::var_os(FILE).unwrap());
    let job = std::env::var(JOB).unwrap();
    if job == "denied" {
        return denied(&file).await;
    }
    let backend = open(&file).await;
    match job.as_str() {
        "create" => create(&backend).await,
        "increment" => increment(&backend).await,
        "append" => append(&backend).await,
        "stage" => stage(&backend).await,
        _ => rewrite(&backend, &job).await,
    }
}

/// Says how opening the file, or else a write to it, fails.
async fn denied(file: &Path) {
    let opened = SqliteBackend::open(file).await;
    let outcome = match opened {
        Ok(backend) => backend.put("a", "new").await.map(drop),
        Err(error) => Err(error),
    };
    println!("outcome: {:?}", outcome.unwrap_err().kind());
}

/// Tries to be the first to create each of 50 objects, and says how often it was.
async fn create(backend: &SqliteBackend) {
    for number in 0..50 {
        match backend.put_if(format!("new/{number}"), "mine", None).await {
            Ok(_) => backend.append("winners", "x").await.map(drop).unwrap(),
            Err(error) => assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error}"),
        }
    }
}

/// Adds 1 to a number 100 times, each time only if nobody else did meanwhile.
async fn increment(backend: &SqliteBackend) {
    for _ in 0..100 {
        loop {
            let reader = backend.open("number").await.unwrap();
            let version = reader.info().version.clone();
            let bytes = reader.bytes().await.unwrap();
            let number: u64 = std::str::from_utf8(&bytes).unwrap().parse().unwrap();
            let next = (number + 1).to_string();
            match backend.put_if("number", next, version).await {
                Ok(_) => break,
                Err(error) => assert_eq!(error.kind(), ErrorKind::PreconditionFailed, "{error}"),
            }
        }
    }
}

/// Appends 100 lines of 100 to 50,000 bytes that name the process.
async fn append(backend: &SqliteBackend) {
    let id = std::process::id();
    for number in 0..100usize {
        let filler = "x".repeat(100 + (number * 7919) % 50_000);
        let line = format!("{id} {number} {filler} {id} {number}\n");
        backend.append("log", line).await.unwrap();
    }
}

/// Begins a large object, and waits to be killed.
async fn stage(backend: &SqliteBackend) {
    let options = WriteOptions::default();
    let mut writer = backend.writer(&path("never"), options).await.unwrap();
    writer.write_bytes(vec![7; 3 << 20].into()).await.unwrap();
    writer.flush().await.unwrap();
    println!("ready");
    std::future::pending::<()>().await;
}

pub(crate) const SIZE: usize = 3 << 20;

/// Writes one key over and over, whole and in chunks, every byte of one write the same.
async fn rewrite(backend: &SqliteBackend, key: &str) {
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
}

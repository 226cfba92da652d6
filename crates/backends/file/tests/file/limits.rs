use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use storage_core::{
    Backend, BackendExt, ErrorKind, Links, ListOptions, Prefix, Special, WriteMode, WriteOptions,
};
use storage_file::FileBackend;

use crate::{children, fresh, has_attributes, keys, open, path, temporary_files};

/// A user without rights.
const NOBODY: u32 = 65_534;

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A program just written can be run: nobody has it open for writing any more (`ETXTBSY`).
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_is_closed_when_its_write_is_done() {
    let (dir, backend) = fresh().await;
    let own = dir.path().canonicalize().unwrap().join("program");
    for round in 0..300 {
        let content = vec![1u8; 1 << (round % 20)];
        backend.put("program", content).await.unwrap();
        let handles = std::fs::read_dir("/proc/self/fd").unwrap();
        let open = handles.filter_map(|handle| std::fs::read_link(handle.ok()?.path()).ok());
        assert_eq!(open.filter(|path| *path == own).count(), 0);
    }
}

#[tokio::test]
async fn a_dropped_writer_leaves_nothing() {
    let (dir, backend) = fresh().await;
    backend.put("key", "old").await.unwrap();
    let modes = [
        WriteMode::Replace,
        WriteMode::CreateNew,
        WriteMode::Append,
        WriteMode::IfVersion(backend.put("v", "v").await.unwrap().version.unwrap()),
    ];
    for mode in modes {
        for (chunks, flushed) in [(0, false), (1, false), (1, true), (5, false), (5, true)] {
            let options = WriteOptions::from(mode.clone());
            let mut writer = backend.writer(&path("new"), options).await.unwrap();
            for _ in 0..chunks {
                writer.write_bytes(vec![1; 1 << 20].into()).await.unwrap();
            }
            if flushed {
                writer.flush().await.unwrap();
                assert_eq!(temporary_files(dir.path()).len(), 1);
                drop(writer);
            } else {
                writer.abort().await.unwrap();
            }
            assert_eq!(temporary_files(dir.path()), [""; 0]);
            assert_eq!(keys(&backend).await, ["key", "v"]);
        }
    }
}

/// A file system of 1 MiB for as long as this lives, or `None` where it cannot be mounted.
struct Small(tempfile::TempDir);

impl Small {
    fn mount() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"])
            .arg(dir.path())
            .status();
        mounted
            .is_ok_and(|status| status.success())
            .then_some(Self(dir))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[tokio::test]
async fn a_full_disk_leaves_what_was_there() {
    let Some(small) = Small::mount().filter(|_| is_root()) else {
        eprintln!("skipped: mounting a small file system needs more rights");
        return;
    };
    let root = small.0.path();
    let backend = open(root).await;
    backend.put("key", "old").await.unwrap();
    let large = vec![1; 3 << 20];
    let full = |error: storage_core::Error| {
        assert_eq!(error.kind(), ErrorKind::QuotaExceeded, "{error}");
    };
    full(backend.put("key", large.clone()).await.unwrap_err());
    full(backend.append("key", large.clone()).await.unwrap_err());
    full(backend.append("new", large.clone()).await.unwrap_err());
    full(backend.put("dir/new", large.clone()).await.unwrap_err());
    let mut writer = backend
        .writer(&path("key"), WriteOptions::default())
        .await
        .unwrap();
    let mut result = Ok(());
    for _ in 0..3 {
        result = result.and(writer.write_bytes(vec![1; 1 << 20].into()).await);
    }
    full(result.and(writer.finish().await.map(|_| ())).unwrap_err());
    drop(writer);
    assert_eq!(temporary_files(root), [""; 0]);
    assert_eq!(temporary_files(&root.join("dir")), [""; 0]);
    assert_eq!(keys(&backend).await, ["dir/", "key"]);
    assert_eq!(backend.get("key").await.unwrap(), "old");
    assert_eq!(backend.append("key", "er").await.unwrap().size, 5);
    backend.put("key", vec![2; 500_000]).await.unwrap();
}

#[tokio::test]
async fn attributes_that_do_not_fit_publish_nothing() {
    let (dir, backend) = fresh().await;
    if !has_attributes(&backend) {
        return;
    }
    let metadata = [("large".to_owned(), "x".repeat(100_000))].into();
    let options = WriteOptions::default().metadata(metadata);
    let error = backend
        .write(&path("key"), "x".into(), options)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::QuotaExceeded, "{error}");
    assert!(error.to_string().contains("attribute"), "{error}");
    assert_eq!(keys(&backend).await, [""; 0]);
    assert_eq!(temporary_files(dir.path()), [""; 0]);
}

#[test]
fn permissions_are_told_apart() {
    if !is_root() {
        eprintln!("skipped: becoming another user needs more rights");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mode = |name: &str, bits: u32| {
        let at = dir.path().join(name);
        std::fs::set_permissions(at, std::fs::Permissions::from_mode(bits)).unwrap();
    };
    for name in ["closed", "open/closed", "fixed", "open/mine"] {
        std::fs::create_dir_all(dir.path().join(name)).unwrap();
        std::fs::write(dir.path().join(name).join("x"), "x").unwrap();
    }
    std::fs::write(dir.path().join("open/secret"), "secret").unwrap();
    chown(dir.path().join("open"), Some(NOBODY), Some(NOBODY)).unwrap();
    mode("", 0o755);
    mode("open/secret", 0o600);
    mode("closed", 0o700);
    mode("open/closed", 0o700);
    // The test binary itself, where the other user can start it.
    let binary = dir.path().join("binary");
    std::fs::copy(std::env::current_exe().unwrap(), &binary).unwrap();
    mode("binary", 0o755);
    let template = children::command("permissions", dir.path());
    let mut command = Command::new(&binary);
    command.args(template.get_args()).current_dir("/");
    for (key, value) in template.get_envs() {
        command.env(key, value.unwrap());
    }
    let output = command.uid(NOBODY).gid(NOBODY).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}{errors}");
    assert!(text.contains("1 passed"), "{text}");
}

/// What somebody without rights sees of the tree above.
pub(crate) async fn as_somebody(dir: &Path) {
    let denied = |error: storage_core::Error| {
        assert!(error.is_permission_denied(), "{error}");
        assert!(error.to_string().starts_with("file: "), "{error}");
    };
    denied(FileBackend::open(dir.join("closed")).await.unwrap_err());
    denied(FileBackend::open(dir.join("fixed/new")).await.unwrap_err());
    let fixed = open(&dir.join("fixed")).await;
    assert_eq!(fixed.get("x").await.unwrap(), "x");
    denied(fixed.put("y", "y").await.unwrap_err());
    denied(fixed.put("x", "y").await.unwrap_err());
    denied(fixed.append("x", "y").await.unwrap_err());
    denied(fixed.remove("x").await.unwrap_err());
    denied(fixed.mkdir_all("d/e").await.unwrap_err());
    assert_eq!(keys(&fixed).await, ["x"]);

    let backend = open(&dir.join("open")).await;
    denied(backend.get("secret").await.unwrap_err());
    denied(backend.get("closed/x").await.unwrap_err());
    let seen = backend.try_stat("secret").await.unwrap().unwrap();
    assert_eq!((seen.size, seen.version), (Some(6), None));
    let page = backend
        .list(&Prefix::root(), ListOptions::default())
        .await
        .unwrap();
    assert_eq!(page.entries.len(), 3);
    // A directory that cannot be read is an error of the whole listing, and not left out.
    let options = ListOptions::default().recursive(true);
    let error = backend
        .entries(Prefix::root(), options)
        .collect()
        .await
        .unwrap_err();
    assert_eq!(error.path(), Some("closed/"));
    denied(error);
    // Who asks for what is neither object nor directory is told where something is missing.
    let options = ListOptions::default().recursive(true).links(Links::Show);
    let shown = backend.entries(Prefix::root(), options).collect().await;
    let shown = shown.unwrap();
    let closed: Vec<_> = shown.iter().filter(|info| info.special.is_some()).collect();
    assert_eq!(shown.len(), 3, "{shown:?}");
    assert_eq!(closed[0].listing_key(), "closed/");
    assert_eq!(closed[0].special, Some(Special::Closed));
}

/// `mkdir` by text.
trait MkdirAll {
    async fn mkdir_all(&self, path: &str) -> storage_core::Result<()>;
}

impl MkdirAll for FileBackend {
    async fn mkdir_all(&self, at: &str) -> storage_core::Result<()> {
        self.extended()?.mkdir(&path(at)).await
    }
}

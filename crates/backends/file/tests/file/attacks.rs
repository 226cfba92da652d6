use std::os::unix::fs::symlink;
use std::path::Path;

use storage_core::{
    Backend, BackendExt, ErrorKind, ExtendedBackend, ListOptions, ObjectPath, Prefix, RmdirOptions,
    WriteMode, WriteOptions,
};
use storage_file::FileBackend;

use crate::{keys, open, path};

/// A root beside a directory with a secret, which nothing may read, list, change or remove.
struct Guarded {
    dir: tempfile::TempDir,
    backend: FileBackend,
}

impl Guarded {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("outside/sub")).unwrap();
        std::fs::write(dir.path().join("outside/secret"), "secret").unwrap();
        let backend = open(&dir.path().join("root")).await;
        Self { dir, backend }
    }

    fn root(&self) -> std::path::PathBuf {
        self.dir.path().join("root")
    }

    fn check(&self) {
        let outside = self.dir.path().join("outside");
        assert_eq!(std::fs::read(outside.join("secret")).unwrap(), b"secret");
        let mut names: Vec<_> = std::fs::read_dir(&outside)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        assert_eq!(names, ["secret", "sub"]);
        assert_eq!(std::fs::read_dir(outside.join("sub")).unwrap().count(), 0);
    }
}

#[test]
fn paths_that_climb_are_no_paths() {
    for text in [
        "..",
        "../x",
        "a/../../x",
        "a/..",
        "./a",
        "/etc/passwd",
        "a//b",
        "a/",
        "",
        "a\0b",
        ".",
    ] {
        let error = ObjectPath::new(text).unwrap_err();
        assert!(error.is_invalid_path(), "{text:?}");
    }
}

#[tokio::test]
async fn encoded_forms_are_ordinary_names() {
    let guarded = Guarded::new().await;
    let names = [
        "%2e%2e%2foutside%2fsecret",
        "..%2fsecret",
        "%2e%2e",
        "a%00b",
        "..\\outside\\secret",
        "..foo",
        "...",
        "~",
        "$HOME",
        "a\nb",
        "*",
        "-rf",
        "\u{202e}txt",
    ];
    for name in names {
        guarded.backend.put(name, name).await.unwrap();
        assert_eq!(guarded.backend.get(name).await.unwrap(), name);
    }
    let mut expected: Vec<_> = names.map(str::to_owned).into();
    expected.sort();
    assert_eq!(keys(&guarded.backend).await, expected);
    guarded.check();
}

async fn refuse(guarded: &Guarded, key: &str) {
    let backend = &guarded.backend;
    let kind = |error: storage_core::Error| error.kind();
    let denied = ErrorKind::PermissionDenied;
    assert_eq!(
        backend.get(key).await.map_err(kind).unwrap_err(),
        denied,
        "{key}"
    );
    assert_eq!(
        backend.open(key).await.map_err(kind).unwrap_err(),
        denied,
        "{key}"
    );
    assert_eq!(
        backend.has(key).await.map_err(kind).unwrap_err(),
        denied,
        "{key}"
    );
    let stat = backend.try_stat(key).await;
    assert_eq!(stat.map_err(kind).unwrap_err(), denied, "{key}");
    let copied = backend
        .copy(&path(key), &path("copy"), WriteOptions::default())
        .await;
    assert_eq!(copied.map_err(kind).unwrap_err(), denied, "{key}");
    let touched = backend
        .set_modified(&path(key), std::time::UNIX_EPOCH)
        .await;
    assert_eq!(touched.map_err(kind).unwrap_err(), denied, "{key}");
    guarded.check();
}

#[tokio::test]
async fn links_to_files_outside_are_not_followed() {
    let guarded = Guarded::new().await;
    let secret = guarded.dir.path().join("outside/secret");
    symlink("../outside/secret", guarded.root().join("relative")).unwrap();
    symlink(&secret, guarded.root().join("absolute")).unwrap();
    symlink("relative", guarded.root().join("twice")).unwrap();
    for key in ["relative", "absolute", "twice"] {
        refuse(&guarded, key).await;
        assert_eq!(keys(&guarded.backend).await, [""; 0]);
        let backend = &guarded.backend;
        let appended = backend.append(key, "more").await.unwrap_err();
        assert!(appended.is_unsupported(), "{appended}");
        let created = backend
            .write(&path(key), "x".into(), WriteMode::CreateNew.into())
            .await;
        assert!(created.unwrap_err().is_already_exists());
        guarded.check();
    }
    // A write replaces the link and not what it points to; a deletion removes it.
    guarded.backend.put("relative", "mine").await.unwrap();
    assert_eq!(guarded.backend.get("relative").await.unwrap(), "mine");
    assert_eq!(guarded.backend.get("twice").await.unwrap(), "mine");
    assert!(guarded.backend.remove("absolute").await.unwrap());
    guarded.check();
}

#[tokio::test]
async fn links_to_directories_outside_are_not_entered() {
    let guarded = Guarded::new().await;
    let outside = guarded.dir.path().join("outside");
    symlink("../outside", guarded.root().join("relative")).unwrap();
    symlink(&outside, guarded.root().join("absolute")).unwrap();
    symlink("/proc/self/root", guarded.root().join("magic")).unwrap();
    for link in ["relative", "absolute", "magic"] {
        refuse(&guarded, &format!("{link}/secret")).await;
        let backend = &guarded.backend;
        for key in [
            format!("{link}/new"),
            format!("{link}/sub/new"),
            format!("{link}/a/b"),
        ] {
            let error = backend.put(&key, "x").await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
            assert!(backend.mkdir(&path(&key)).await.is_err());
            assert!(backend.append(&key, "x").await.is_err());
            backend.put("inside", "x").await.unwrap();
            let (from, to) = (path("inside"), path(&key));
            let renamed = backend.rename(&from, &to, WriteOptions::default());
            assert!(renamed.await.is_err());
            assert!(backend.remove("inside").await.unwrap());
        }
        assert!(backend.remove(&format!("{link}/secret")).await.is_err());
        let purge = RmdirOptions::default().recursive(true);
        assert!(
            backend
                .rmdir(&path(&format!("{link}/sub")), purge)
                .await
                .is_err()
        );
        assert!(
            backend
                .rmdir(&path(link), purge)
                .await
                .unwrap_err()
                .is_not_directory()
        );
        let prefix = Prefix::new(link).unwrap();
        let listed = backend.list(&prefix, ListOptions::default()).await;
        assert_eq!(listed.unwrap_err().kind(), ErrorKind::PermissionDenied);
        assert_eq!(keys(backend).await, [""; 0]);
        guarded.check();
    }
    // Emptying a directory removes the links in it and not what they point to.
    std::fs::create_dir(guarded.root().join("d")).unwrap();
    symlink("../../outside", guarded.root().join("d/link")).unwrap();
    let purge = RmdirOptions::default().recursive(true);
    guarded.backend.rmdir(&path("d"), purge).await.unwrap();
    guarded.check();
}

#[tokio::test]
async fn links_inside_are_followed() {
    let guarded = Guarded::new().await;
    let backend = &guarded.backend;
    backend.put("d/x", "x").await.unwrap();
    symlink("d", guarded.root().join("dir")).unwrap();
    symlink("d/x", guarded.root().join("file")).unwrap();
    symlink("../d/x", guarded.root().join("d/up")).unwrap();
    symlink("loop", guarded.root().join("loop")).unwrap();
    symlink("nowhere", guarded.root().join("broken")).unwrap();
    for key in ["file", "dir/x", "d/up", "dir/up"] {
        assert_eq!(backend.get(key).await.unwrap(), "x", "{key}");
    }
    assert!(backend.get("broken").await.unwrap_err().is_not_found());
    assert!(backend.get("loop").await.is_err());
    let page = backend
        .list(&Prefix::root(), ListOptions::default())
        .await
        .unwrap();
    let listed: Vec<_> = page.entries.iter().map(|info| info.listing_key()).collect();
    assert_eq!(listed, ["d/", "dir/", "file"]);
    assert_eq!(keys(backend).await, ["d/", "d/up", "d/x", "file"]);
    assert!(backend.put("dir", "x").await.unwrap_err().is_directory());
    assert!(backend.remove("dir").await.unwrap_err().is_directory());
    backend.put("dir/y", "y").await.unwrap();
    assert_eq!(backend.get("d/y").await.unwrap(), "y");
}

#[tokio::test]
async fn fifos_and_sockets_are_no_objects_and_block_nobody() {
    let guarded = Guarded::new().await;
    let root = guarded.root();
    make_fifo(&root.join("fifo"));
    let _socket = std::os::unix::net::UnixListener::bind(root.join("socket")).unwrap();
    for key in ["fifo", "socket"] {
        let backend = &guarded.backend;
        let unsupported = |error: storage_core::Error| assert!(error.is_unsupported(), "{error}");
        unsupported(backend.get(key).await.unwrap_err());
        unsupported(backend.open(key).await.unwrap_err());
        unsupported(backend.put(key, "x").await.unwrap_err());
        unsupported(backend.append(key, "x").await.unwrap_err());
        unsupported(backend.remove(key).await.unwrap_err());
        unsupported(backend.try_stat(key).await.unwrap_err());
        assert!(!backend.has(key).await.unwrap());
        let below = backend.put(&format!("{key}/x"), "x").await.unwrap_err();
        assert!(below.is_not_directory());
    }
    guarded.backend.put("x", "x").await.unwrap();
    assert_eq!(keys(&guarded.backend).await, ["x"]);
}

pub(crate) fn make_fifo(at: &Path) {
    let made = std::process::Command::new("mkfifo")
        .arg(at)
        .status()
        .unwrap();
    assert!(made.success());
}

#[tokio::test]
async fn long_and_reserved_names_are_refused() {
    let guarded = Guarded::new().await;
    let backend = &guarded.backend;
    let temporary = format!(".omnistorage-{}.tmp", "0".repeat(32));
    let long = "n".repeat(1024);
    for key in [
        long.clone(),
        format!("a/{long}"),
        format!("{long}/a"),
        temporary.clone(),
        format!("{temporary}/x"),
    ] {
        for error in [
            backend.get(&key).await.unwrap_err(),
            backend.put(&key, "x").await.unwrap_err(),
            backend.append(&key, "x").await.unwrap_err(),
            backend.remove(&key).await.unwrap_err(),
            backend.try_stat(&key).await.unwrap_err(),
            backend.mkdir(&path(&key)).await.unwrap_err(),
        ] {
            assert!(error.is_invalid_path(), "{error}");
        }
    }
    let deep = vec!["d".repeat(255); 4].join("/");
    backend.put(&deep, "deep").await.unwrap();
    assert_eq!(backend.get(&deep).await.unwrap(), "deep");
}

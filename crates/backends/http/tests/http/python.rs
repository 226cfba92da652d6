//! `python3 -m http.server`: a server without ranges, entity tags or sizes in its index pages.

use std::process::Stdio;

use storage_core::{BackendExt, ByteRange, ListOptions, ObjectInfo, ObjectPath, Prefix, Result};
use storage_http::HttpBackend;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

#[tokio::test]
async fn a_server_without_ranges_is_read_whole_and_in_parts() -> Result<()> {
    let root = tempfile::tempdir()?;
    let content: Vec<u8> = (0..300_000u32).flat_map(|n| n.to_le_bytes()).collect();
    std::fs::create_dir_all(root.path().join("é #1/below"))?;
    std::fs::write(root.path().join("é #1/big"), &content)?;
    std::fs::write(root.path().join("é #1/below/.hidden"), "x")?;
    std::fs::write(root.path().join("a&b"), "")?;
    let spawned = Command::new("python3")
        .args(["-u", "-m", "http.server", "0", "--bind", "127.0.0.1"])
        .current_dir(root.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn();
    let Ok(mut child) = spawned else {
        eprintln!("skipped: no python3");
        return Ok(());
    };
    let backend = HttpBackend::builder(announced(&mut child).await?)
        .open()
        .await?;

    let path = ObjectPath::new("é #1/big")?;
    for (range, expected) in [
        (ByteRange::Full, 0..content.len()),
        (ByteRange::Bounded(5, 900_001), 5..900_001),
        (
            ByteRange::Bounded(1_199_990, u64::MAX),
            1_199_990..content.len(),
        ),
        (ByteRange::From(1_000_000), 1_000_000..content.len()),
        (ByteRange::From(u64::MAX), 0..0),
        (ByteRange::Suffix(7), content.len() - 7..content.len()),
    ] {
        let read = storage_core::Backend::read(&backend, &path, range.into()).await?;
        assert!(read == content[expected], "{range:?}");
    }
    let info = backend.try_stat("é #1/big").await?;
    assert_eq!(info.and_then(|info| info.size), Some(content.len() as u64));
    assert!(
        !backend.has("é #1/below").await?,
        "a directory is no object"
    );
    assert!(
        backend
            .get("é #1")
            .await
            .is_err_and(|error| error.is_not_found())
    );

    let all = ListOptions::default().recursive(true);
    let entries = backend.entries(Prefix::root(), all).collect().await?;
    let keys: Vec<_> = entries.iter().map(ObjectInfo::listing_key).collect();
    assert_eq!(keys, ["a&b", "é #1/below/.hidden", "é #1/big"]);
    assert!(
        entries.iter().all(|entry| entry.size.is_none()),
        "sizes are made up"
    );
    Ok(())
}

/// The URL in `Serving HTTP on 127.0.0.1 port 40001 (http://127.0.0.1:40001/) ...`.
async fn announced(child: &mut Child) -> Result<String> {
    let mut line = String::new();
    if let Some(out) = child.stdout.as_mut() {
        BufReader::new(out).read_line(&mut line).await?;
    }
    let url = line.split(['(', ')']).nth(1).unwrap_or_default();
    Ok(url.to_owned())
}

use storage_core::{
    Backend, BackendExt, ListOptions, Metadata, ObjectPath, Prefix, ReadOptions, Result,
    WriteOptions,
};
use storage_memory::MemoryBackend;
use storage_middleware::LayerExt;
use storage_middleware::encryption::{Encryption, MasterKey};

use crate::path;

const SEGMENT: usize = 64 * 1024;
const SEALED: usize = SEGMENT + 16;
const HEADER: usize = 88;

fn encryption() -> Encryption {
    Encryption::new(MasterKey::new([7; 32]))
}

fn content(size: usize) -> Vec<u8> {
    (0..size).map(|n| (n / 7) as u8).collect()
}

async fn everything(store: &impl Backend) -> Result<Vec<storage_core::ObjectInfo>> {
    let options = ListOptions::default().recursive(true).directories(true);
    store.entries(Prefix::root(), options).collect().await
}

#[tokio::test]
async fn nothing_of_contents_names_and_attributes_is_left_to_see() {
    let store = MemoryBackend::new();
    let backend = store.clone().layer(encryption());
    let secret = "Zanzibar-".repeat(20_000);
    let metadata = Metadata::from([("zanzibar".to_owned(), "zanzibar".to_owned())]);
    let options = WriteOptions::default()
        .content_type("text/zanzibar")
        .cache_control("zanzibar")
        .metadata(metadata.clone());
    let at = path("zanzibar/to zanzibar");
    backend
        .write(&at, secret.clone().into(), options)
        .await
        .unwrap();
    for entry in everything(&store).await.unwrap() {
        let mut seen = format!("{entry:?}");
        if !entry.is_dir {
            let info = store.extended().unwrap().stat(&entry.path).await.unwrap();
            let bytes = store.get(&entry.path).await.unwrap();
            seen += &format!("{info:?} {}", String::from_utf8_lossy(&bytes));
        }
        assert!(!seen.to_lowercase().contains("zanzibar"), "{seen:.300}");
    }
    let info = backend.try_stat(&at).await.unwrap().unwrap();
    assert_eq!(info.content_type.as_deref(), Some("text/zanzibar"));
    assert_eq!(info.cache_control.as_deref(), Some("zanzibar"));
    assert_eq!(
        (info.metadata, info.size),
        (metadata, Some(secret.len() as u64))
    );
    assert_eq!(backend.get(&at).await.unwrap(), secret);
}

/// The one object of the store: its path below, and its bytes.
async fn only_object(store: &MemoryBackend) -> (ObjectPath, Vec<u8>) {
    let listed = everything(store).await.unwrap();
    let found = listed.into_iter().find(|entry| !entry.is_dir).unwrap();
    let bytes = store.get(&found.path).await.unwrap();
    (found.path, bytes.to_vec())
}

/// Reads in every way that depends on `range` of the object.
async fn reads(
    backend: &impl Backend,
    start: u64,
    end: u64,
) -> Vec<(&'static str, Result<Vec<u8>>)> {
    let at = path("a");
    let range = ReadOptions::from(start..end);
    let stream = async {
        let reader = backend.reader(&at, range.clone()).await?;
        Ok(reader.bytes().await?.to_vec())
    };
    let whole = async {
        let bytes = backend.open("a").await?.bytes().await?;
        Ok(bytes[bytes.len().min(start as usize)..bytes.len().min(end as usize)].to_vec())
    };
    let get = async {
        let bytes = backend.get("a").await?;
        Ok(bytes[bytes.len().min(start as usize)..bytes.len().min(end as usize)].to_vec())
    };
    let ranges = async {
        let asked = start..end;
        let parts = backend
            .read_ranges(&at, std::slice::from_ref(&asked))
            .await?;
        Ok(parts.concat())
    };
    vec![
        ("a reader of the range", stream.await),
        ("a reader of everything", whole.await),
        ("get", get.await),
        ("read_ranges", ranges.await),
    ]
}

#[tokio::test]
async fn a_changed_object_never_gives_wrong_bytes() {
    let plain = content(3 * SEGMENT + 100);
    let store = MemoryBackend::new();
    let backend = store.clone().layer(encryption());
    backend.put("a", plain.clone()).await.unwrap();
    let (below, sealed) = only_object(&store).await;
    let segment = |n: usize| HEADER + n * SEALED..(HEADER + (n + 1) * SEALED).min(sealed.len());
    let other = {
        let store = MemoryBackend::new();
        let backend = store.clone().layer(encryption());
        backend.put("a", plain.clone()).await.unwrap();
        only_object(&store).await.1
    };
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = sealed.clone();
        change(&mut bytes);
        bytes
    };
    let mut changed = vec![
        ("cut to nothing", Vec::new()),
        ("cut in the header", sealed[..50].to_vec()),
        ("cut after the header", sealed[..HEADER].to_vec()),
        (
            "cut after the first segment",
            sealed[..segment(0).end].to_vec(),
        ),
        (
            "cut after the third segment",
            sealed[..segment(2).end].to_vec(),
        ),
        ("cut by a byte", sealed[..sealed.len() - 1].to_vec()),
        ("longer by a byte", with(&|b| b.push(0))),
        (
            "longer by a segment",
            with(&|b| b.extend_from_slice(&sealed[segment(1)])),
        ),
        (
            "two segments exchanged",
            with(&|b| {
                b[segment(0)].copy_from_slice(&sealed[segment(1)]);
                b[segment(1)].copy_from_slice(&sealed[segment(0)]);
            }),
        ),
        ("a segment missing", with(&|b| drop(b.drain(segment(1))))),
        (
            "a segment of another object",
            with(&|b| b[segment(1)].copy_from_slice(&other[segment(1)])),
        ),
        (
            "the header of another object",
            with(&|b| b[..HEADER].copy_from_slice(&other[..HEADER])),
        ),
    ];
    for at in [
        16,
        45,
        HEADER,
        HEADER + SEALED - 1,
        segment(1).start + 5,
        sealed.len() - 1,
    ] {
        changed.push(("a bit flipped", with(&|b| b[at] ^= 1)));
    }
    for (what, bytes) in changed {
        store.put(&below, bytes).await.unwrap();
        for (start, end) in [
            (0, plain.len()),
            (SEGMENT + 10, 2 * SEGMENT + 10),
            (3 * SEGMENT, plain.len() + 9),
        ] {
            let right = &plain[start..end.min(plain.len())];
            for (how, found) in reads(&backend, start as u64, end as u64).await {
                match found {
                    Ok(found) => assert_eq!(found, right, "{what}, {how} of {start}..{end}"),
                    Err(error) => assert!(error.is_corrupt(), "{what}, {how}: {error}"),
                }
            }
        }
        let all = reads(&backend, 0, plain.len() as u64).await;
        assert!(
            all.iter().any(|(_, found)| found.is_err()),
            "{what} was not noticed"
        );
        assert!(
            all[1].1.is_err() && all[2].1.is_err(),
            "{what} was not noticed"
        );
        if ["cut", "longer", "a segment missing"]
            .iter()
            .any(|start| what.starts_with(start))
        {
            let past = backend.read_range("a", 10 << 20..11 << 20).await;
            assert!(past.is_err(), "{what}: what is past the end");
        }
    }
}

#[tokio::test]
async fn another_key_is_told_and_never_an_empty_store() {
    let store = MemoryBackend::new();
    store
        .clone()
        .layer(encryption())
        .put("a", "x")
        .await
        .unwrap();
    let wrong = Encryption::new(MasterKey::new([8; 32]));
    let list = store.clone().layer(wrong.clone());
    let listed = list
        .entries(Prefix::root(), ListOptions::default())
        .collect()
        .await;
    assert!(listed.unwrap_err().is_permission_denied());
    let skipping = store.clone().layer(wrong.clone().skip_foreign(true));
    let listed = skipping
        .entries(Prefix::root(), ListOptions::default())
        .collect()
        .await;
    assert_eq!(listed.unwrap().len(), 0);

    let plain = MemoryBackend::new();
    plain
        .clone()
        .layer(encryption().names(false))
        .put("a", "x")
        .await
        .unwrap();
    let error = plain.layer(wrong.names(false)).get("a").await.unwrap_err();
    let [own, other] = [[7; 32], [8; 32]].map(|key| MasterKey::new(key).id().to_string());
    assert!(error.is_permission_denied());
    assert!(
        error.to_string().contains(&own) && error.to_string().contains(&other),
        "{error}"
    );
}

#[tokio::test]
async fn equal_contents_are_encrypted_differently_and_equal_names_alike() {
    let store = MemoryBackend::new();
    let backend = store.clone().layer(encryption());
    backend.put("a/same", "x").await.unwrap();
    backend.put("b/same", "x").await.unwrap();
    let objects: Vec<_> = everything(&store).await.unwrap();
    let files: Vec<_> = objects.iter().filter(|entry| !entry.is_dir).collect();
    assert_eq!(files[0].path.file_name(), files[1].path.file_name());
    let [one, other] = [
        store.get(&files[0].path).await,
        store.get(&files[1].path).await,
    ];
    assert_ne!(one.unwrap()[HEADER..], other.unwrap()[HEADER..]);
}

#[tokio::test]
async fn pages_go_on_in_another_process() {
    let store = MemoryBackend::new();
    let writer = store.clone().layer(encryption());
    let mut expected = Vec::new();
    for n in 0..30 {
        let key = format!("d{}/{n}", n % 4);
        writer.put(&key, "x").await.unwrap();
        expected.push(key);
    }
    expected.sort();
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let options = ListOptions::default()
            .recursive(true)
            .limit(4)
            .cursor(cursor);
        let fresh = store.clone().layer(encryption());
        let page = fresh.list(&Prefix::root(), options).await.unwrap();
        found.extend(page.entries.iter().map(|entry| entry.path.to_string()));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(found, expected);
}

/// An object as the format's page describes it, written by version 1: it must be readable for ever.
#[tokio::test]
async fn an_object_of_version_1_is_read() {
    let store = MemoryBackend::new();
    let golden = include_bytes!("../golden/hello.omnienc");
    let name = include_str!("../golden/hello.name").trim();
    store.put(name, &golden[..]).await.unwrap();
    let backend = store.layer(encryption());
    assert_eq!(
        backend.get("hello world").await.unwrap(),
        "Hello, Zanzibar!"
    );
}

/// While all bytes are in memory, nothing but the cipher itself can let others run.
#[tokio::test]
async fn others_run_while_a_large_buffer_is_encrypted_and_decrypted() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    let turns = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&turns);
    let other = tokio::spawn(async move {
        loop {
            counted.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
        }
    });
    let backend = MemoryBackend::new().layer(encryption());
    let large = content(8 << 20);
    backend.put("a", large.clone()).await.unwrap();
    let of_write = turns.swap(0, Ordering::Relaxed);
    assert!(backend.get("a").await.unwrap() == large);
    let of_read = turns.load(Ordering::Relaxed);
    other.abort();
    assert!(of_write >= 7 && of_read >= 7, "{of_write}, {of_read}");
}

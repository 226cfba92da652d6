use storage_core::{
    Backend, BackendExt, ListOptions, ObjectPath, Prefix, ReadOptions, RmdirOptions, WriteMode,
    WriteOptions,
};
use storage_gcs_emulator::Call;

use crate::{BUCKET, PART, builder, open, pattern};

fn key(key: &str) -> ObjectPath {
    ObjectPath::new(key).unwrap()
}

#[tokio::test]
async fn markers_of_directories_are_no_objects_and_are_purged() {
    let (emulator, backend) = open().await;
    for name in ["dir/", "dir/sub/", "dir/file", "dir//odd", "beside"] {
        emulator.insert(BUCKET, name, "x");
    }
    let listed = async |prefix: &str, recursive| {
        let options = ListOptions::default().recursive(recursive);
        let entries = backend.entries(Prefix::new(prefix).unwrap(), options);
        let entries = entries.collect().await.unwrap();
        entries
            .iter()
            .map(|info| info.listing_key())
            .collect::<Vec<_>>()
    };
    assert_eq!(listed("", true).await, ["beside", "dir/file"]);
    assert_eq!(listed("", false).await, ["beside", "dir/"]);
    assert_eq!(listed("dir", false).await, ["dir/file", "dir/sub/"]);
    let extended = backend.as_extended().unwrap();
    let recursive = RmdirOptions::default().recursive(true);
    extended.rmdir(&key("dir"), recursive).await.unwrap();
    assert_eq!(emulator.object_names(BUCKET), ["beside"]);
}

#[tokio::test]
async fn the_documented_requests_are_made() {
    let (emulator, backend) = open().await;
    let content = pattern(4 * PART);
    let calls = [
        Call::Insert,
        Call::StartUpload,
        Call::UploadPart,
        Call::Read,
        Call::Get,
        Call::List,
        Call::Delete,
    ];
    let counts = || calls.map(|call| emulator.count(call));
    let mut before = counts();
    let mut since = move || {
        let now = counts();
        let made = std::array::from_fn::<_, 7, _>(|index| now[index] - before[index]);
        before = now;
        made
    };
    backend.put("small", "x").await.unwrap();
    assert_eq!(since(), [1, 0, 0, 0, 0, 0, 0], "put");
    backend.put("large", content.clone()).await.unwrap();
    let [0, 1, 4..=5, 0, 0, 0, 0] = since() else {
        panic!("put of four parts")
    };
    backend.get("small").await.unwrap();
    assert_eq!(since(), [0, 0, 0, 1, 0, 0, 0], "get");
    backend.get("large").await.unwrap();
    assert_eq!(since(), [0, 0, 0, 4, 0, 0, 0], "get of four parts");
    backend
        .reader(&key("small"), ReadOptions::default())
        .await
        .unwrap();
    assert_eq!(since(), [0, 0, 0, 1, 1, 0, 0], "reader");
    backend
        .read_ranges(&key("large"), &[0..9, 1000..1009])
        .await
        .unwrap();
    assert_eq!(since(), [0, 0, 0, 2, 0, 0, 0], "read_ranges");
    backend
        .list(&Prefix::root(), ListOptions::default())
        .await
        .unwrap();
    assert_eq!(since(), [0, 0, 0, 0, 0, 1, 0], "list");
    backend.delete(&key("small")).await.unwrap();
    assert_eq!(since(), [0, 0, 0, 0, 0, 0, 1], "delete");
}

#[tokio::test]
async fn without_room_everything_still_goes_through() {
    let (emulator, _) = open().await;
    let backend = builder(&emulator)
        .part_size(1 << 20)
        .memory_limit(1)
        .open()
        .await
        .unwrap();
    let content = pattern((3 << 20) + 5);
    let mut writers = Vec::new();
    for index in 0..4 {
        let path = key(&index.to_string());
        let mut writer = backend
            .writer(&path, WriteOptions::default())
            .await
            .unwrap();
        writer.write_bytes(content.clone()).await.unwrap();
        writers.push(writer);
    }
    for (index, mut writer) in writers.into_iter().enumerate() {
        writer.finish().await.unwrap();
        assert_eq!(backend.get(format!("{index}")).await.unwrap(), content);
    }
    assert_eq!(emulator.count(Call::UploadPart), 4 * 13, "parts of 256 KiB");
}

#[tokio::test]
async fn the_mark_of_a_conditional_write_is_not_copied_or_shown() {
    let (emulator, backend) = open().await;
    let mode = WriteOptions::from(WriteMode::CreateNew);
    backend.write(&key("a"), "x".into(), mode).await.unwrap();
    backend.copy_path("a", "b").await.unwrap();
    assert_eq!(emulator.metadata(BUCKET, "a").len(), 1);
    let copied = emulator.metadata(BUCKET, "b");
    assert_eq!(
        copied.keys().map(String::as_str).collect::<Vec<_>>(),
        ["mtime"]
    );
    assert!(
        backend
            .try_stat("b")
            .await
            .unwrap()
            .unwrap()
            .metadata
            .is_empty()
    );
}

use std::time::{Duration, SystemTime};

use storage_core::{
    AttributePolicy, Backend, BackendExt, ExtendedBackend, Features, HashType, Metadata,
    PresignOptions, PresignedMethod, ReadOptions, Result, RmdirOptions, Version, WriteMode,
    WriteOptions,
};
use storage_faults::{Intercept, Intercepted, Masked};
use storage_memory::MemoryBackend;

use crate::path;

type Subject = Intercepted<MemoryBackend, Masked>;

fn only(flag: &str) -> Features {
    let mut features = Features::NONE;
    assert!(features.set(flag, true), "{flag}");
    features
}

fn with(mode: WriteMode) -> WriteOptions {
    mode.into()
}

/// What a flag stands for. `atomic_write` is a promise, not a call.
async fn use_of(flag: &str, subject: &Subject) -> Result<()> {
    let (a, b) = (path("d/a"), path("d/b"));
    let options = WriteOptions::default();
    let write = async |options| subject.write(&a, "x".into(), options).await.map(|_| ());
    let read = async |options| subject.read(&a, options).await.map(|_| ());
    match flag {
        "copy" => subject.copy(&a, &b, options).await.map(|_| ()),
        "rename" => subject.rename(&a, &b, options).await,
        "purge" => {
            subject
                .rmdir(&path("d"), RmdirOptions::default().recursive(true))
                .await
        }
        "set_modified" => subject.set_modified(&a, SystemTime::now()).await,
        "custom_metadata" => {
            let metadata = Metadata::from([("k".into(), "v".into())]);
            write(options.metadata(metadata)).await
        }
        "content_type" => write(options.content_type("a/b")).await,
        "create_new" => subject
            .write(&b, "x".into(), with(WriteMode::CreateNew))
            .await
            .map(|_| ()),
        "if_version" => {
            let version = subject.get_ref().stat(&a).await?.version.unwrap();
            write(with(WriteMode::IfVersion(version))).await
        }
        "append" => write(with(WriteMode::Append)).await,
        "range_read" => read(ReadOptions::from(0..1)).await,
        "directories" => subject.mkdir(&path("e")).await,
        "directory_times" => subject.set_modified(&path("d"), SystemTime::now()).await,
        "versions" => read(ReadOptions::default().if_changed_from(Version::new("none"))).await,
        "presign" => {
            let options = PresignOptions::new(PresignedMethod::Get, Duration::from_secs(1));
            subject.presign(&a, options).await.map(|_| ())
        }
        "hashes" => write(options.hashes(HashType::Md5)).await,
        "atomic_write" => Ok(()),
        other => panic!("the flag {other} is new: say here what it stands for"),
    }
}

#[tokio::test]
async fn every_flag_can_be_taken_away_and_no_unrelated_one_goes_with_it() {
    for (masked, _) in Features::NONE.iter() {
        for (flag, below) in MemoryBackend::new().features().iter() {
            let subject = Masked::new(only(masked)).over(MemoryBackend::new());
            subject.put("d/a", "xyz").await.unwrap();
            let shown = subject
                .features()
                .iter()
                .any(|(name, value)| name == flag && value);
            let gone = flag == masked || (flag, masked) == ("if_version", "versions");
            assert_eq!(shown, below && !gone, "{flag} with {masked} masked");
            let used = use_of(flag, &subject).await;
            if shown || flag == "atomic_write" {
                used.unwrap_or_else(|error| panic!("{flag} with {masked} masked: {error}"));
            } else {
                assert!(
                    used.unwrap_err().is_unsupported(),
                    "{flag} with {masked} masked"
                );
            }
        }
    }
}

#[tokio::test]
async fn what_is_masked_is_not_shown() {
    let store = MemoryBackend::new();
    let metadata = Metadata::from([("k".into(), "v".into())]);
    let options = WriteOptions::default()
        .content_type("a/b")
        .metadata(metadata)
        .hashes(HashType::Md5);
    store
        .write(&path("a"), "x".into(), options.clone())
        .await
        .unwrap();
    let subject = Masked::new(Features::ALL).over(store);
    let plain = subject.stat(&path("a")).await.unwrap();
    assert!(plain.version.is_none() && plain.content_type.is_none());
    assert!(plain.metadata.is_empty() && plain.hashes.is_empty());
    assert_eq!(subject.open("a").await.unwrap().info(), &plain);
    assert_eq!(subject.features(), Features::NONE);

    // Where the policy allows it, what cannot be stored is left out and the rest is done.
    let options = options.attributes(AttributePolicy::IfSupported);
    let written = subject
        .write(&path("b"), "x".into(), options)
        .await
        .unwrap();
    assert!(written.version.is_none() && written.hashes.get(HashType::Md5).is_some());
    let below = subject.get_ref().stat(&path("b")).await.unwrap();
    assert!(below.content_type.is_none() && below.hashes.is_empty());
}

#[tokio::test]
async fn a_closed_backend_is_closed_before_it_lacks_anything() {
    let subject = Masked::new(Features::ALL).over(MemoryBackend::new());
    subject.close().await.unwrap();
    let error = subject.mkdir(&path("d")).await.unwrap_err();
    assert!(error.is_backend_closed(), "{error}");
}

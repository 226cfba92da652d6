use std::time::{Duration, SystemTime};

use storage_channel::ChannelBackend;
use storage_core::{
    AttributePolicy, Backend, BackendExt, ByteRange, Durability, HashType, Metadata,
    PresignOptions, PresignedMethod, ReadOptions, Result, RmdirOptions, Version, WriteMode,
    WriteOptions,
};
use storage_hash::hash;

use crate::{drain, path, reader, ready, send};

fn refused<T>(result: Result<T>, what: &str) {
    match result {
        Ok(_) => panic!("{what} is not refused"),
        Err(error) => {
            assert!(error.is_unsupported(), "{what}: {error}");
            assert!(
                error.to_string().starts_with("channel: "),
                "{what}: {error}"
            );
        }
    }
}

#[test]
fn modes_and_attributes_that_a_stream_cannot_keep_are_refused() {
    let backend = ChannelBackend::new();
    let some = || "x".to_owned();
    let cases: [(&str, WriteOptions); 8] = [
        ("create-new", WriteMode::CreateNew.into()),
        ("if-version", WriteMode::IfVersion(Version::new("1")).into()),
        ("append", WriteMode::Append.into()),
        ("content type", WriteOptions::default().content_type(some())),
        (
            "cache control",
            WriteOptions::default().cache_control(some()),
        ),
        (
            "metadata",
            WriteOptions::default().metadata(Metadata::from([(some(), some())])),
        ),
        (
            "modified",
            WriteOptions::default().modified(SystemTime::UNIX_EPOCH),
        ),
        ("hashes", WriteOptions::default().hashes(HashType::Md5)),
    ];
    for (what, options) in cases {
        refused(ready(backend.writer(&path("a"), options.clone())), what);
        refused(ready(backend.write(&path("a"), "x".into(), options)), what);
        assert_eq!(backend.stats(&path("a")), None, "{what}");
    }
    refused(ready(backend.put_atomic("a", "x")), "put_atomic");
}

#[test]
fn attributes_that_are_not_required_are_left_out() {
    let backend = ChannelBackend::new();
    let options = WriteOptions::default()
        .content_type("text/plain")
        .hashes(HashType::Crc32c)
        .durability(Durability::Immediate)
        .attributes(AttributePolicy::IfSupported);
    let written = ready(backend.write(&path("a"), "x".into(), options)).unwrap();
    assert_eq!(
        written.hashes,
        hash(HashType::Crc32c.into(), b"x"),
        "reported all the same"
    );
    assert_eq!(reader(&backend, "a").info().content_type, None);
}

#[test]
fn reads_of_anything_but_the_whole_are_refused() {
    let backend = ChannelBackend::new();
    ready(backend.put("a", "abc")).unwrap();
    let version = || Version::new("1");
    for options in [
        ReadOptions::from(0..2),
        ReadOptions::from(ByteRange::From(1)),
        ReadOptions::from(ByteRange::Suffix(1)),
        ReadOptions::default().if_version(version()),
        ReadOptions::default().if_changed_from(version()),
        ReadOptions::default().verify(true),
    ] {
        let what = format!("{options:?}");
        refused(ready(backend.reader(&path("a"), options.clone())), &what);
        refused(ready(backend.read(&path("a"), options)), &what);
    }
    assert_eq!(
        ready(backend.get("a")).unwrap(),
        "abc",
        "a refused read takes nothing"
    );
}

#[test]
fn calls_that_a_stream_does_not_have_are_refused() {
    let backend = ChannelBackend::new();
    let extended = backend.extended().unwrap();
    assert!(extended.features().iter().all(|(_, on)| !on));
    let (a, b, options) = (path("a"), path("b"), WriteOptions::default);
    refused(ready(extended.mkdir(&a)), "mkdir");
    refused(
        ready(extended.rmdir(&a, RmdirOptions::default().recursive(true))),
        "rmdir",
    );
    refused(ready(extended.copy(&a, &b, options())), "copy");
    refused(ready(extended.rename(&a, &b, options())), "rename");
    refused(
        ready(extended.set_modified(&a, SystemTime::UNIX_EPOCH)),
        "set_modified",
    );
    let presign = PresignOptions::new(PresignedMethod::Get, Duration::from_secs(1));
    refused(ready(extended.presign(&a, presign)), "presign");
    ready(extended.flush()).unwrap();
}

#[test]
fn a_write_that_is_not_what_it_was_to_be_ends_in_an_error_for_both_sides() {
    let wrong = hash(HashType::Md5.into(), b"other");
    for options in [
        WriteOptions::default().size(5),
        WriteOptions::default().expected(wrong),
    ] {
        let backend = ChannelBackend::new();
        let mut writer = ready(backend.writer(&path("a"), options)).unwrap();
        send(&mut writer, "four").unwrap();
        assert!(ready(writer.finish()).unwrap_err().is_corrupt());
        let (messages, error) = ready(drain(reader(&backend, "a")));
        assert_eq!(messages, ["four"]);
        assert!(error.unwrap().is_corrupt());
    }
}

#[test]
fn digests_are_reported_of_streams_and_payloads() {
    let backend = ChannelBackend::new();
    let options = || WriteOptions::default().verify(HashType::Sha256).size(4);
    let expected = hash(HashType::Sha256.into(), b"four");
    let written = ready(backend.write(&path("a"), "four".into(), options())).unwrap();
    assert_eq!((written.size, &written.hashes), (4, &expected));
    let mut writer = ready(backend.writer(&path("a"), options())).unwrap();
    send(&mut writer, "fo").unwrap();
    send(&mut writer, "ur").unwrap();
    let written = ready(writer.finish()).unwrap();
    assert_eq!((written.size, &written.hashes), (4, &expected));
}
